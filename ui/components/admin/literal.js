// Values of records as text: what was stored is shown, never interpreted.
import { isNumber, moment } from "weir-core";

export const literal = (value, name = "") => {
  if (value === null || value === undefined) return "";
  if (name.endsWith("_at") && isNumber(value)) return moment(value);
  return typeof value === "string" ? value : JSON.stringify(value);
};

// Two records side by side, name by name; values that are no records are one nameless row.
export function sides(before, after) {
  const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (!plain(before) && !plain(after)) return before === null && after === null ? [] : [{ name: "", before: literal(before), after: literal(after), same: literal(before) === literal(after) }];
  const [left, right] = [plain(before) ? before : {}, plain(after) ? after : {}];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].map((name) => {
    const [old, fresh] = [literal(left[name], name), literal(right[name], name)];
    return { name, before: old, after: fresh, same: old === fresh };
  }).filter((side) => side.before || side.after);
}
