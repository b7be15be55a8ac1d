// Values of records as text: what was stored is shown, never interpreted.
export const literal = (value) => (value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

// Two records side by side, name by name; values that are no records are one nameless row.
export function sides(before, after) {
  const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (!plain(before) && !plain(after)) return before === null && after === null ? [] : [{ name: "", before: literal(before), after: literal(after), same: literal(before) === literal(after) }];
  const [left, right] = [plain(before) ? before : {}, plain(after) ? after : {}];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].map((name) => {
    const [old, fresh] = [literal(left[name]), literal(right[name])];
    return { name, before: old, after: fresh, same: old === fresh };
  });
}
