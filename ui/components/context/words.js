// Figures and names of customers in words.
import * as Vue from "vue";
import { DASH, channelName, lang, t } from "weir-core";
import { PlatformMark } from "weir-inbox";

const locale = lang === "zh" ? "zh-CN" : "en-GB";

export function money(amount, currency) {
  const value = Number(amount);
  if (amount === null || amount === undefined || amount === "" || !Number.isFinite(value)) return DASH;
  try {
    return new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(value);
  } catch {
    return [amount, currency].filter(Boolean).join(" ");
  }
}

// What a shop calls a state, without its underscores.
export const plainWord = (word) => String(word || "").replaceAll("_", " ");

// {time, place}: the clock at the customer's place, ticking with `now`; null when it is not known.
export function clockOf(local, now) {
  if (!local) return null;
  const options = { weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false };
  const city = local.zone.split("/").pop().replaceAll("_", " ");
  try {
    return { time: new Intl.DateTimeFormat(locale, { ...options, timeZone: local.zone }).format(now), place: city };
  } catch {
    return { time: new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }).format(now + local.offset_minutes * 60_000), place: city };
  }
}

export const nameOf = (one) => one.name || one.id || t("ctx.nameless");

// A channel: the platform's mark and its name.
export const Spot = {
  components: { PlatformMark },
  props: { platform: String, account: String },
  setup: (props) => () => Vue.h("span", { class: "ctx-spot" }, [Vue.h(PlatformMark, { platform: props.platform }), Vue.h("span", { class: "ib-cut" }, channelName(props.platform, props.account))]),
};
