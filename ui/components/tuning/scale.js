// Thresholds as people see and move them: words, limits, and a slider whose steps grow with the value.
import { duration, number, platformName, t } from "weir-core";

export const STEPS = 1000;
const FINE = 4;
const COARSE = 40;
const SPAN = { s: [0.1, 86_400], probability: [1e-12, 0.5], messages: [1, 100_000] };

export const isMovable = (spec) => spec.unit in SPAN;
export const INHERIT = "default";

// The part of the allowed span a slider covers; more extreme values can be typed.
function span(spec) {
  const [low, high] = SPAN[spec.unit];
  return [Math.max(low, spec.low), Math.min(high, spec.high)];
}

const digits = (value, count) => (value === 0 ? 0 : Number(value.toPrecision(count)));

export function positionOf(spec, value) {
  const [low, high] = span(spec);
  if (!(value > 0)) return 0;
  const part = Math.log(Math.min(high, Math.max(low, value)) / low) / Math.log(high / low);
  return Math.round(part * STEPS);
}

export function valueAt(spec, position) {
  const [low, high] = span(spec);
  if (position <= 0 && spec.low <= 0) return 0;
  return rounded(spec, low * (high / low) ** (Math.min(STEPS, Math.max(0, position)) / STEPS));
}

export function rounded(spec, value) {
  if (spec.unit === "messages") return Math.max(spec.low, Math.round(digits(value, 2)));
  return Math.min(spec.high, Math.max(spec.low, digits(value, 2)));
}

// The next value up or down that differs from this one.
export function stepped(spec, value, direction, coarse = false) {
  const start = positionOf(spec, value);
  for (let distance = coarse ? COARSE : FINE; distance <= STEPS; distance += FINE) {
    const next = valueAt(spec, start + direction * distance);
    if (next !== value) return next;
    if (start + direction * distance <= 0 || start + direction * distance >= STEPS) break;
  }
  return value;
}

// The sentence that says what is wrong with a typed value; empty when nothing is.
export function complaint(spec, value) {
  if (value === null) return spec.optional ? "" : t("tuning.wrong.off");
  if (spec.unit === "languages") {
    const parts = String(value).split(",").map((part) => part.trim());
    return parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/i.test(part)) ? "" : t("tuning.wrong.languages");
  }
  const fits = typeof value === "number" && Number.isFinite(value) && value >= spec.low && value <= spec.high;
  return fits ? "" : t("tuning.wrong.number", { low: shown(spec, spec.low), high: shown(spec, spec.high) });
}

const UP = "⁰¹²³⁴⁵⁶⁷⁸⁹";
function power(value) {
  if (value >= 0.001) return String(digits(value, 3));
  const [mantissa, exponent] = value.toExponential(1).split("e");
  const raised = `⁻${[...exponent.slice(1)].map((digit) => UP[Number(digit)]).join("")}`;
  return Number(mantissa) === 1 ? `10${raised}` : `${Number(mantissa)} × 10${raised}`;
}

export function shown(spec, value, scope = "") {
  if (value === null || value === undefined) return t("tuning.off");
  if (value === INHERIT) return scope ? t("tuning.inherited") : shown(spec, spec.default);
  if (spec.unit === "s") return value === 0 ? t("unit.s", { n: 0 }) : duration(Number(value) * 1000);
  if (spec.unit === "probability") return power(Number(value));
  if (spec.unit === "messages") return t("tuning.messages", { n: number(Number(value)) });
  return String(value).split(",").join(", ");
}

const plain = (text) => text.replaceAll("%2F", "/").replaceAll("%25", "%");
export function scopeName(scope) {
  if (!scope) return t("tuning.everything");
  const [platform, account] = scope.split("/").map(plain);
  return account === undefined ? platformName(platform) : `${platformName(platform)} · ${account}`;
}
export const label = (name) => t("threshold." + name);

const wider = (scope) => (scope.includes("/") ? scope.split("/")[0] : "");
const has = (overrides, scope, name) => overrides[scope] !== undefined && name in overrides[scope];

// The value that holds for a scope, and the scope it comes from (null: the default).
export function effective(overrides, spec, scope) {
  for (const at of [...new Set([scope, wider(scope), ""])]) if (has(overrides, at, spec.name)) return { value: overrides[at][spec.name], from: at };
  return { value: spec.default, from: null };
}

// What differs between two sets of overrides, as the assignments that lead from one to the other.
export function difference(before, after) {
  const found = [];
  for (const scope of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const names = new Set([...Object.keys(before[scope] || {}), ...Object.keys(after[scope] || {})]);
    for (const name of [...names].sort()) {
      const old = has(before, scope, name) ? before[scope][name] : INHERIT;
      const value = has(after, scope, name) ? after[scope][name] : INHERIT;
      if (old !== value) found.push({ scope, name, old, value });
    }
  }
  return found;
}

export function changed(overrides, changes) {
  const result = Object.fromEntries(Object.entries(overrides).map(([scope, values]) => [scope, { ...values }]));
  for (const { scope, name, value } of changes) {
    result[scope] = { ...(result[scope] || {}) };
    if (value === INHERIT) delete result[scope][name];
    else result[scope][name] = value;
  }
  return result;
}
