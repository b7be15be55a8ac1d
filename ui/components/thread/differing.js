// What a translation must not change: figures, amounts, dates, addresses, placeholders. Finds those that stand on one side only.
const TOKEN = /https?:\/\/[^\s<>"']+|\{[\w.]+\}|\p{Sc}|\b(?:USD|EUR|GBP|JPY|CNY|RMB|THB|VND|IDR|MYR|SGD|PHP|BRL|MXN|INR|KRW)\b|\d+(?:[.,:/'’\u00a0\u202f-]\d+)*/gu;
const CODES = { "$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "฿": "THB", "₫": "VND", "₹": "INR", "₩": "KRW", RMB: "CNY", JPY: "CNY" };
// Digits of other scripts count as digits.
const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50, 0xff10];
const plain = (text) => text.replace(/\p{Nd}/gu, (digit) => {
  const code = digit.codePointAt(0);
  const zero = ZEROS.find((start) => code >= start && code <= start + 9);
  return zero === undefined ? digit : String(code - zero);
});

function tokens(text) {
  return [...plain(text).matchAll(TOKEN)].flatMap((match) => {
    const word = match[0];
    if (/^\d/.test(word)) {
      // 1.234,50 and 1,234.50 are one amount; 03/04 and 04/03 are two dates. A single digit may as well be a word.
      const digits = word.replace(/\D/g, "");
      return digits.length > 1 ? [{ start: match.index, end: match.index + word.length, what: digits }] : [];
    }
    return [{ start: match.index, end: match.index + word.length, what: CODES[word] || word }];
  });
}

// [[{text, differs}] of the one, of the other]; put together the parts are the texts.
export function differing(one, other) {
  const sides = [tokens(one), tokens(other)];
  const counts = sides.map((side) => side.reduce((map, token) => map.set(token.what, (map.get(token.what) || 0) + 1), new Map()));
  return [one, other].map((text, at) => {
    const theirs = new Map(counts[1 - at]);
    const parts = [];
    let end = 0;
    for (const token of sides[at]) {
      const left = theirs.get(token.what) || 0;
      if (left) {
        theirs.set(token.what, left - 1);
        continue;
      }
      if (token.start > end) parts.push({ text: text.slice(end, token.start), differs: false });
      parts.push({ text: text.slice(token.start, token.end), differs: true });
      end = token.end;
    }
    if (end < text.length) parts.push({ text: text.slice(end), differs: false });
    return parts;
  });
}
