// What of a text links somewhere: tracking numbers that the server found, and addresses people wrote. The text stays
// text: components draw `text` by interpolation, and `href` is http or https, or not there.
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

// <w-linked :text :links/>: a text with its links, each opening elsewhere and told nothing of this page.
export const WLinked = {
  props: { text: String, links: Array },
  template: `<span class="w-linked"><template v-for="(part, index) in parts" :key="index"><a v-if="part.href" class="w-link" :href="part.href" target="_blank" rel="noopener noreferrer" :title="titleOf(part)">{{ part.text }}</a><template v-else>{{ part.text }}</template></template></span>`,
  computed: {
    parts() {
      return linkParts(this.text, this.links || []);
    },
  },
  methods: {
    titleOf: (part) => (part.found ? part.found.carriers.join(", ") : null),
  },
};
