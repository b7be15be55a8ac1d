// What of a text links somewhere: tracking numbers that the server found, and addresses people wrote. The text stays
// text: components draw `text` by interpolation, and `href` is http or https, or not there.
import { t } from "./texts.js";

const ADDRESS = /https?:\/\/[^\s<>"'`{}|\\^\u3000-\u303f\uff00-\uffef]+/giu;
const TRAILING = /[.,;:!?)\]}'"»”’]+$/u;
const LONGEST = 2000;

export function safeHref(address) {
  if (typeof address !== "string" || address.length > LONGEST) return null;
  let parsed;
  try {
    parsed = new URL(address);
  } catch {
    return null;
  }
  const plain = (parsed.protocol === "https:" || parsed.protocol === "http:") && !parsed.username && !parsed.password;
  return plain ? parsed.href : null;
}

// [{text, href, found}] that put together are the text. `found`: [{start, end, url, number, carriers, sure}] by
// code points, as the API gives them; what does not fit the text is left out.
export function linkParts(text, found = []) {
  const letters = Array.from(text || "");
  const places = [];
  for (const one of found) {
    const whole = Number.isInteger(one.start) && Number.isInteger(one.end);
    if (whole && 0 <= one.start && one.start < one.end && one.end <= letters.length) places.push({ start: one.start, end: one.end, href: safeHref(one.url), found: one });
  }
  for (const match of (text || "").matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, "");
    const start = Array.from(text.slice(0, match.index)).length;
    const href = safeHref(address);
    if (href) places.push({ start, end: start + Array.from(address).length, href, found: null });
  }
  places.sort((a, b) => a.start - b.start || b.end - a.end);
  const parts = [];
  let at = 0;
  for (const place of places) {
    if (place.start < at) continue;
    if (place.start > at) parts.push({ text: letters.slice(at, place.start).join(""), href: null, found: null });
    parts.push({ text: letters.slice(place.start, place.end).join(""), href: place.href, found: place.found });
    at = place.end;
  }
  if (at < letters.length) parts.push({ text: letters.slice(at).join(""), href: null, found: null });
  return parts;
}

// The links of a text from one place (a code point) on, or up to it, as places of that part.
const within = (found, from, until) => found.filter((one) => from <= one.start && one.end <= until).map((one) => ({ ...one, start: one.start - from, end: one.end - from }));

// A text and what it quotes of earlier ones, which begins at a code point; none where that is no place within the text.
export function foldedParts(text, found, fold) {
  const letters = Array.from(text || "");
  if (!Number.isInteger(fold) || fold <= 0 || fold >= letters.length) return { said: linkParts(text, found), quoted: [] };
  const quoted = linkParts(letters.slice(fold).join(""), within(found, fold, letters.length));
  return { said: linkParts(letters.slice(0, fold).join("").trimEnd(), within(found, 0, fold)), quoted };
}

// <w-linked :text :links :fold/>: a text with its links, each opening elsewhere and told nothing of this page; what it quotes from
// `fold` on is folded, and there at a click.
export const WLinked = {
  props: { text: String, links: Array, fold: Number },
  template: `<span class="w-linked"><template v-for="(part, index) in folded.said" :key="index"><a v-if="part.href" class="w-link" :href="part.href" target="_blank" rel="noopener noreferrer" :title="titleOf(part)">{{ part.text }}</a><template v-else>{{ part.text }}</template></template><details v-if="folded.quoted.length" class="w-folded"><summary>{{ t("text.quoted") }}</summary><template v-for="(part, index) in folded.quoted" :key="index"><a v-if="part.href" class="w-link" :href="part.href" target="_blank" rel="noopener noreferrer" :title="titleOf(part)">{{ part.text }}</a><template v-else>{{ part.text }}</template></template></details></span>`,
  computed: {
    folded() {
      return foldedParts(this.text, this.links || [], this.fold);
    },
  },
  methods: {
    t,
    titleOf: (part) => (part.found ? part.found.carriers.join(", ") : null),
  },
};
