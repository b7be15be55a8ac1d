// The one table of the inbox's keys: it drives what they do and the dialog that explains them.
//
// `at`: where the handler is ("list", "open": only with a conversation, "any"). `told`: keys that others handle (the composer's,
// the palette's, those of every page); they are only explained.
export const KEYS = [
  { id: "next", keys: ["j", "ArrowDown"], shown: ["J"], group: "list", at: "list" },
  { id: "previous", keys: ["k", "ArrowUp"], shown: ["K"], group: "list", at: "list" },
  { id: "open", keys: ["Enter", "o"], shown: ["Enter"], group: "list", at: "list" },
  { id: "select", keys: ["x"], shown: ["X"], group: "list", at: "list" },
  { id: "extend_next", keys: ["Shift+J", "Shift+ArrowDown"], shown: ["Shift", "J"], group: "list", at: "list" },
  { id: "extend_previous", keys: ["Shift+K", "Shift+ArrowUp"], shown: ["Shift", "K"], group: "list", at: "list" },
  { id: "select_all", keys: ["Mod+a"], shown: ["Ctrl", "A"], group: "list", at: "list" },
  { id: "first", keys: ["Home"], shown: ["Home"], group: "list", at: "list" },
  { id: "last", keys: ["End"], shown: ["End"], group: "list", at: "list" },
  { id: "reply", keys: ["r"], shown: ["R"], group: "conversation", at: "open" },
  { id: "note", keys: ["n"], shown: ["N"], group: "conversation", at: "open" },
  { id: "template", keys: ["/"], shown: ["/"], group: "conversation", at: "open" },
  { id: "send", told: true, shown: ["Ctrl", "Enter"], group: "conversation" },
  { id: "send_next", told: true, shown: ["Ctrl", "Shift", "Enter"], group: "conversation" },
  { id: "resolve", keys: ["e"], shown: ["E"], group: "conversation", at: "any" },
  { id: "snooze", keys: ["s"], shown: ["S"], group: "conversation", at: "any" },
  { id: "assign", keys: ["a"], shown: ["A"], group: "conversation", at: "any" },
  { id: "take", keys: ["m"], shown: ["M"], group: "conversation", at: "any" },
  { id: "translation", keys: ["t"], shown: ["T"], group: "conversation", at: "open" },
  { id: "label", keys: ["l"], shown: ["L"], group: "conversation", at: "any" },
  { id: "fold_list", keys: ["["], shown: ["["], group: "window", at: "any" },
  { id: "fold_context", keys: ["]"], shown: ["]"], group: "window", at: "any" },
  { id: "go_inbox", told: true, shown: ["G", "I"], group: "window" },
  { id: "go_health", told: true, shown: ["G", "H"], group: "window" },
  { id: "go_workload", told: true, shown: ["G", "R"], group: "window" },
  { id: "go_thresholds", told: true, shown: ["G", "T"], group: "window" },
  { id: "palette", told: true, shown: ["Ctrl", "K"], group: "window" },
  { id: "help", keys: ["?", "Shift+?"], shown: ["?"], group: "window", at: "any" },
  { id: "close", keys: ["Escape"], shown: ["Esc"], group: "window", at: "any" },
];

const BY_KEY = new Map(KEYS.flatMap((entry) => (entry.keys || []).map((key) => [key, entry])));

function written(event) {
  const mod = event.ctrlKey || event.metaKey;
  // With a modifier the letter counts, whatever case Caps Lock gives it.
  const letter = event.key.length === 1 && (mod || event.shiftKey) ? (mod ? event.key.toLowerCase() : event.key.toUpperCase()) : event.key;
  const plain = event.key.length === 1 && !mod && !event.shiftKey ? event.key.toLowerCase() : letter;
  const shifted = event.shiftKey && /^([A-Z]|Arrow\w+)$/.test(plain) ? "Shift+" : "";
  return `${mod ? "Mod+" : ""}${shifted}${plain}`;
}

// Which entry a key press means, if any.
export function keyOf(event) {
  if (event.altKey || event.isComposing || event.key === "Shift") return null;
  return BY_KEY.get(written(event)) || null;
}

export const wordsOfKey = (entry) => entry.shown;
