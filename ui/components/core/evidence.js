// What proves an anomaly, in words; every figure in them comes from the record.
import { t, tn } from "./texts.js";
import { duration, isNumber, moment, number, toMs } from "./format.js";

const seconds = (value) => duration(value * 1000);
const CAUSES = ["gap", "reference", "checkpoint", "outbound", "silence", "auth", "sequence_jump"];
const asText = (key, value) => {
  if (key === "cause" && CAUSES.includes(value)) return t(`cause.${value}`);
  if (key === "status" && value === "none") return t("evidence.status.none");
  if (key === "reason" && value === "signatures") return t("evidence.reason.signatures");
  if ((key === "from" || key === "to") && isNumber(toMs(value))) return moment(toMs(value));
  if (isNumber(value)) return key.endsWith("_s") ? seconds(value) : key.endsWith("_ms") ? duration(value) : value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : number(Math.round(value * 1000) / 1000);
  if (value === true || value === false) return t(value ? "yes" : "no");
  return typeof value === "string" ? value : JSON.stringify(value);
};

// As a sentence, where the kind has one.
export function evidenceLine(kind, evidence = {}) {
  const has = (...names) => names.every((name) => evidence[name] !== undefined && evidence[name] !== null);
  if (kind === "delay" && has("median_s", "threshold_s")) return t("evidence.line.delay_median", { median: seconds(evidence.median_s), threshold: seconds(evidence.threshold_s) });
  if (kind === "delay" && has("delay_s", "threshold_s")) return t("evidence.line.delay", { delay: seconds(evidence.delay_s), threshold: seconds(evidence.threshold_s) });
  if (kind === "channel_silent" && has("expected")) return t("evidence.line.silent", { expected: number(Math.round(evidence.expected)) });
  if (kind === "channel_silent" && evidence.reason === "signatures") return t("evidence.line.signatures", { time: moment(toMs(evidence.from)) });
  if (kind === "channel_silent" && has("status")) return t("evidence.line.auth");
  if (kind === "out_of_sync" && has("ours", "theirs")) return t("evidence.line.sync", { ours: number(evidence.ours), theirs: number(evidence.theirs) });
  if (kind === "loss" && has("cause")) return t(`cause.${CAUSES.includes(evidence.cause) ? evidence.cause : "gap"}`);
  if (kind === "duplicate" && has("copies")) return tn("evidence.line.copies", evidence.copies);
  if (kind === "attachment_failed" && evidence.status === "none") return t("evidence.line.attachment_none");
  if (kind === "attachment_failed" && has("status")) return t("evidence.line.attachment", { status: String(evidence.status) });
  return "";
}

// As rows of name and value, all of it; names that the catalogue does not know stay as they are.
export function evidenceRows(evidence = {}) {
  const filled = Object.entries(evidence).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return filled.map(([key, value]) => {
    const label = t(`evidence.${key}`);
    return [label === `evidence.${key}` ? key : label, asText(key, value)];
  });
}

// What a trouble is called: failed answers and a lost authorisation have a name of their own.
export function troubleName({ kind, guide, evidence = {} }) {
  if (guide === "loss_outbound" || (kind === "loss" && evidence.cause === "outbound")) return t("kind.loss_outbound");
  if (guide === "auth" || (kind === "channel_silent" && evidence.cause === "auth")) return t("kind.auth");
  return t(`kind.${kind}`);
}
