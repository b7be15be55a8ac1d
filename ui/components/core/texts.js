// Texts come from the catalogue script in the page's head. A missing key shows itself; a test keeps that from shipping.
const texts = window.weirTexts || {};
export const lang = (window.weir && window.weir.lang) || "en";

export function t(key, values) {
  const text = texts[key];
  if (text === undefined) return key;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole)) : text;
}

// A count in words: `key.one` and `key.other`.
export function tn(key, count, values) {
  return t(count === 1 ? `${key}.one` : `${key}.other`, { n: new Intl.NumberFormat(lang).format(count), ...values });
}
