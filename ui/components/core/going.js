// `g` and a letter lead to a page from every page; nothing fires while somebody types.
import { can } from "./live.js";
import { go } from "./places.js";

const PAIR_MS = 1200;
const FIELDS = "input, textarea, select, [contenteditable=''], [contenteditable='true'], [role='textbox']";
// Who may not see a page is led home.
const PLACES = { i: ["/inbox", "view_messages"], h: ["/", "view_health"], r: ["/workload", "view_workload"], t: ["/thresholds", "view_thresholds"] };
let begunAt = -Infinity;

// The field that somebody types in, if it is one.
export const fieldOf = (target) => (target.closest ? target.closest(FIELDS) : null);

// Whether a key press was the second of a pair, and led somewhere.
export function wentBy(event) {
  const alone = !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented);
  if (!alone || fieldOf(event.target) || document.querySelector(".w-scrim, .rail-menu")) {
    begunAt = -Infinity;
    return false;
  }
  const key = event.key.toLowerCase();
  const place = event.timeStamp - begunAt < PAIR_MS && Object.hasOwn(PLACES, key) ? PLACES[key] : null;
  begunAt = key === "g" && !place ? event.timeStamp : -Infinity;
  if (place) go(can(place[1]) ? place[0] : "/");
  return Boolean(place);
}
