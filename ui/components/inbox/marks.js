// Small signs of a row: how long is left, whose it is, where it comes from, what went wrong with it. Each has a word beside its look.
import * as Vue from "vue";
import { WIcon, duration, lang, platformName, t, toMs } from "weir-core";

const MINUTE_MS = 60_000;
const AT_RISK = 0.25;

// Whole seconds below a minute, then the largest unit, two for hours: a figure that ticks must not jump about.
function left(ms) {
  const size = Math.abs(ms);
  if (size < MINUTE_MS) return duration(Math.floor(size / 1000) * 1000 || 1000);
  if (size < 60 * MINUTE_MS) return duration(Math.floor(size / MINUTE_MS) * MINUTE_MS);
  return duration(size);
}

// red: overdue · amber: a quarter or less is left · blue: it is the customer's turn · none: fine.
export function edgeOf(row, now) {
  const due = toMs(row.sla_due_at);
  if (row.status !== "closed" && row.sla && due) {
    if (row.sla === "breached" || due <= now) return "red";
    if (row.sla === "at_risk") return "amber";
    const start = toMs(row.last_sent_at || row.last_at);
    if (start && due > start && (due - now) / (due - start) <= AT_RISK) return "amber";
    return "";
  }
  return row.status !== "closed" && row.last_direction === "out" ? "blue" : "";
}

export const DueChip = {
  props: { row: Object, now: Number },
  setup: (props) => () => {
    const { row, now } = props;
    const due = toMs(row.sla_due_at);
    const edge = edgeOf(row, now);
    if (row.status !== "closed" && row.sla && due) {
      const over = due <= now || row.sla === "breached";
      const words = t(over ? "inbox.overdue" : "inbox.left", { time: left(due - now) });
      return Vue.h("span", { class: `ib-due is-${edge || "calm"}` }, [edge ? Vue.h("i", { "aria-hidden": "true" }) : null, words]);
    }
    if (row.snoozed_until && toMs(row.snoozed_until) > now) return Vue.h("span", { class: "ib-due is-calm" }, [Vue.h(WIcon, { name: "alarm-clock" }), left(toMs(row.snoozed_until) - now)]);
    if (edge === "blue") return Vue.h("span", { class: "ib-due is-blue" }, [Vue.h("span", { class: "w-sr" }, t("inbox.waiting")), left(now - toMs(row.last_at))]);
    return Vue.h("span", { class: "ib-due is-calm" }, left(now - toMs(row.last_at)));
  },
};

const HUES = 12;
const hueOf = (text) => [...String(text)].reduce((sum, sign) => (sum * 31 + sign.codePointAt(0)) % 9973, 7) % HUES;
const initials = (name) => {
  const parts = String(name).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const signs = parts.length > 1 ? [...parts[0]][0] + [...parts[1]][0] : [...(parts[0] || "?")].slice(0, 2).join("");
  return signs.toUpperCase();
};

// Somebody by his initials; customers have a hue of their own, so that a name is found again.
export const Face = {
  props: { name: String, size: { type: String, default: "m" }, plain: Boolean, typing: Boolean },
  setup: (props) => () =>
    Vue.h("span", { class: `ib-face is-${props.size}${props.plain ? " is-plain" : ` hue-${hueOf(props.name)}`}${props.typing ? " is-typing" : ""}`, "aria-hidden": "true" }, initials(props.name)),
};

const MONOGRAMS = { amazon: "a", ebay: "eB", shopee: "S", lazada: "Lz", tiktok: "TT", aliexpress: "AE", mercadolibre: "ML", shopify: "Sh", woocommerce: "Wc", messenger: "Me", instagram: "Ig", whatsapp: "Wa", telegram: "Te", line: "LN", email: "@", webchat: "Ch" };
export const PlatformMark = {
  props: { platform: String },
  setup: (props) => () =>
    Vue.h("span", { class: "ib-mark", title: platformName(props.platform) }, [
      Vue.h("span", { "aria-hidden": "true" }, MONOGRAMS[props.platform] || [...platformName(props.platform)].slice(0, 2).join("")),
      Vue.h("span", { class: "w-sr" }, platformName(props.platform)),
    ]),
};

const GLYPHS = { attachment_failed: "paperclip", duplicate: "copy", delay: "clock-alert", translation_failed: "languages", loss: "circle-dashed", loss_outbound: "mail-x", notification_missed: "bell-off", out_of_sync: "git-compare", channel_silent: "volume-x" };
// What went wrong, one sign each, with its word for those who hear it.
export const Glyphs = {
  props: { troubles: Array },
  setup: (props) => () =>
    (props.troubles || []).filter((kind) => kind in GLYPHS).map((kind) =>
      Vue.h("span", { class: "ib-glyph", title: t(`kind.${kind}`), key: kind }, [Vue.h(WIcon, { name: GLYPHS[kind] }), Vue.h("span", { class: "w-sr" }, t(`kind.${kind}`))])),
};

let names = null;
export function languageName(code) {
  names = names || new Intl.DisplayNames(lang === "zh" ? "zh-CN" : "en-GB", { type: "language", fallback: "code" });
  try {
    return names.of(code);
  } catch {
    return code;
  }
}
