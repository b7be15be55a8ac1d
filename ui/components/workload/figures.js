// What the figures are: their columns, the lists behind them, and how many answers were in time.
import { inboxAddress, lang } from "weir-core";

export const PERIODS = ["day", "week"];
// The counts of open conversations, each with the filter that leaves exactly its rows.
export const COLUMNS = [
  { name: "open", filter: {}, tone: "plain" },
  { name: "waiting", filter: { waiting: "true" }, tone: "plain" },
  { name: "at_risk", filter: { sla: "at_risk" }, tone: "amber" },
  { name: "breached", filter: { sla: "breached" }, tone: "red" },
];
export const TERMS = ["open", "waiting", "at_risk", "breached", "due", "in_time", "late", "unanswered", "share", "first", "later", "team", "person", "online", "hidden"];

// The inbox with the rows behind a number; `where` holds the filters of its line, `tab` among them.
export function listOf({ tab = "all", ...filters }, more = {}) {
  return inboxAddress({ tab, filters: { ...filters, ...more } });
}

const percents = new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-GB", { style: "percent", maximumFractionDigits: 0 });

// In time, late, never: as parts of all that ended.
export function parts(past) {
  const sum = past.in_time + past.late + past.unanswered;
  return { sum, width: (count) => `${sum ? (count / sum) * 100 : 0}%` };
}

// Rounded down: where one was missed, not all were in time.
export function share(past) {
  const { sum } = parts(past);
  return sum ? percents.format(Math.floor((past.in_time / sum) * 100) / 100) : "";
}
