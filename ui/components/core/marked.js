// A text with the places that were asked for marked. Places are [start, end) in characters, as the API counts them: a sign outside
// of the basic plane is one character there and two in a string here.
import * as Vue from "vue";

export function markedParts(text, ranges) {
  const signs = Array.from(text || "");
  const parts = [];
  let at = 0;
  const cut = (end, hit) => {
    if (end > at) parts.push({ text: signs.slice(at, end).join(""), hit });
    at = Math.max(at, end);
  };
  for (const [start, end] of ranges || []) {
    cut(Math.min(start, signs.length), false);
    cut(Math.min(end, signs.length), true);
  }
  cut(signs.length, false);
  return parts;
}

export const WMarked = {
  props: { text: String, ranges: Array },
  setup: (props) => () => markedParts(props.text, props.ranges).map((part) => (part.hit ? Vue.h("mark", { class: "w-mark" }, part.text) : part.text)),
};
