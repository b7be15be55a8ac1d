// Figures and times as people read them. Times come in milliseconds since the epoch, by the server's clock.
import { lang, t } from "./texts.js";

const locale = lang === "zh" ? "zh-CN" : "en-GB";
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const first = new Intl.NumberFormat(locale, { maximumSignificantDigits: 1 });
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const shortClock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hour12: false });
const full = new Intl.DateTimeFormat(locale, {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
});
const dayClock = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

export const DASH = "–";
// A time as the API gives it: milliseconds, or RFC 3339.
export const toMs = (at) => (typeof at === "string" ? Date.parse(at) : at);
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
export const number = (value) => (isNumber(value) ? whole.format(value) : DASH);
export const compact = (value) => {
  if (!isNumber(value)) return DASH;
  if (Math.abs(value) >= 1e6) return `${tenth.format(value / 1e6)}M`;
  if (Math.abs(value) >= 1e4) return `${tenth.format(value / 1e3)}k`;
  // A message every half minute is not none.
  if (value && Math.abs(value) < 0.1) return first.format(value);
  return Math.abs(value) < 10 && value % 1 ? tenth.format(value) : whole.format(value);
};

const unit = (value, name) => t(`unit.${name}`, { n: value });

// One or two units, so that it fits a table cell: 340 ms, 4.2 s, 41 s, 4 m 58 s, 1 h 52 m, 12 d.
// Bytes in the unit in which people think of files.
export const size = (bytes) => (bytes < 1e6 ? `${number(Math.max(1, Math.round(bytes / 1e3)))} kB` : `${tenth.format(bytes / 1e6)} MB`);
export function duration(ms) {
  if (!isNumber(ms)) return DASH;
  const sign = ms < 0 ? "−" : "";
  const size = Math.abs(ms);
  if (size < 1000) return sign + unit(whole.format(size), "ms");
  if (size < 10_000) return sign + unit(tenth.format(size / 1000), "s");
  const seconds = Math.round(size / 1000);
  if (seconds < 60) return sign + unit(seconds, "s");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return sign + pair(minutes, "m", minutes < 10 ? seconds % 60 : 0, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return sign + pair(hours, "h", minutes % 60, "m");
  return sign + unit(Math.floor(hours / 24), "d");
}

// Whole seconds at least: ages that tick should not flicker through tenths.
export const age = (ms) => (isNumber(ms) ? duration(Math.max(0, ms < 10_000 ? Math.round(ms / 1000) * 1000 || 0 : ms)).replace(unit(0, "ms"), unit(0, "s")) : DASH);

// The largest unit alone, for what stands beside other figures and should not move them every second.
export function roughAge(ms) {
  if (!isNumber(ms)) return DASH;
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return age(ms);
  if (minutes < 60) return unit(minutes, "m");
  return minutes < 48 * 60 ? unit(Math.floor(minutes / 60), "h") : unit(Math.floor(minutes / 1440), "d");
}

function pair(big, bigName, small, smallName) {
  return small ? `${unit(big, bigName)} ${unit(small, smallName)}` : unit(big, bigName);
}

export const timeOfDay = (at) => (isNumber(at) ? clock.format(at) : DASH);
export const minuteOfDay = (at) => (isNumber(at) ? shortClock.format(at) : DASH);
export const moment = (at) => (isNumber(at) ? full.format(at) : DASH);
export const dayMinute = (at) => (isNumber(at) ? dayClock.format(at) : DASH);
export const precise = (at) => (isNumber(at) ? `${clock.format(at)}.${String(Math.floor(at) % 1000).padStart(3, "0")}` : DASH);

const PLATFORMS = {
  amazon: "Amazon", ebay: "eBay", shopee: "Shopee", lazada: "Lazada", tiktok: "TikTok Shop", temu: "Temu", wish: "Wish", walmart: "Walmart",
  aliexpress: "AliExpress", mercadolibre: "Mercado Libre", shopify: "Shopify", messenger: "Messenger", instagram: "Instagram",
  whatsapp: "WhatsApp", telegram: "Telegram", line: "LINE", email: "Email", webchat: "Web chat", webhook: "Webhook",
};
export const platformName = (platform) => PLATFORMS[platform] || platform || DASH;
export const channelName = (platform, account) => `${platformName(platform)} · ${account}`;
