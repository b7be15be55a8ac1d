// One's draft of an answer and of a note: at hand at once, on the server soon, on every screen of the same person. The browser
// holds it only until the server has it.
import { ApiError, ask, send } from "weir-core";
import { threadPath } from "./store.js";

const SOON_MS = 700;
const LATER_MS = 5000;
const me = () => ((window.weir || {}).me || {}).name || "";
const place = (key) => `weir-draft/${me()}/${key}`;
const EMPTY = { mode: "reply", text: "", note: "", reply_to: null, files: [] };
const bare = ({ mode, text, note, reply_to, files }) => ({ mode, text, note, reply_to, files: files.map(({ digest, name, mime, size }) => ({ digest, name, mime, size })) });

function unsaved(key) {
  try {
    return JSON.parse(localStorage.getItem(place(key)));
  } catch {
    return null;
  }
}

// `changed(draft)` is called with what another screen wrote; resolves to the draft as it is. Call `put` with every change.
export function openDraft(key, changed) {
  let timer = 0, current = null, known = null, closed = false, saving = null;

  async function read() {
    const local = unsaved(key);
    if (local) {
      current = { ...EMPTY, ...local };
      later(SOON_MS);
      return current;
    }
    const held = await ask(threadPath(key, "draft"));
    known = held.changed_at;
    current = { ...EMPTY, ...bare(held) };
    return current;
  }

  function put(draft) {
    current = bare(draft);
    localStorage.setItem(place(key), JSON.stringify(current));
    later(SOON_MS);
  }

  function later(ms) {
    clearTimeout(timer);
    timer = setTimeout(save, ms);
  }

  async function save() {
    clearTimeout(timer);
    const sent = JSON.stringify(current);
    if (saving || !unsaved(key)) return;
    saving = send("PUT", threadPath(key, "draft"), current);
    try {
      known = (await saving).changed_at;
      if (localStorage.getItem(place(key)) === sent) localStorage.removeItem(place(key));
    } catch (wrong) {
      if (!(wrong instanceof ApiError)) throw wrong;
      // A draft that the server will never take stays here; all else is tried again.
      if (!closed && (wrong.status === 0 || wrong.status >= 429)) later(LATER_MS);
    } finally {
      saving = null;
    }
    if (!closed && JSON.stringify(current) !== sent) later(SOON_MS);
  }

  // It was sent, or thrown away.
  async function drop() {
    clearTimeout(timer);
    current = { ...EMPTY };
    localStorage.removeItem(place(key));
    await send("DELETE", threadPath(key, "draft")).catch(() => null); // a draft too many is no harm
    known = null;
  }

  // Another screen of the same person may have written meanwhile.
  async function look() {
    if (closed || document.hidden || saving || unsaved(key)) return;
    const held = await ask(threadPath(key, "draft")).catch(() => null);
    if (!held || closed || unsaved(key) || held.changed_at === known) return;
    known = held.changed_at;
    current = { ...EMPTY, ...bare(held) };
    changed(current);
  }

  function heard(event) {
    if (event.key !== place(key)) return;
    const told = event.newValue ? unsaved(key) : null;
    if (told) changed((current = { ...EMPTY, ...told }));
    else look();
  }

  const hidden = () => (document.hidden ? save() : look());
  window.addEventListener("storage", heard);
  window.addEventListener("focus", look);
  document.addEventListener("visibilitychange", hidden);
  return {
    read, put, save, drop,
    close() {
      save();
      closed = true;
      window.removeEventListener("storage", heard);
      window.removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", hidden);
    },
  };
}
