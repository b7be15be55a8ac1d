// The open thread: what is loaded of it, what is new, and what is being sent. One for each conversation, shared by the thread and
// the composer. What was read is kept by id, so that telling something twice changes nothing.
import * as Vue from "vue";
import { ask, inboxLive, useInboxLive } from "weir-core";

const PAGE = 60;
const KINDS = { message: 0, note: 1, event: 2 };
const threads = new Map();

export const threadPath = (key, tail) => `/conversations/${encodeURIComponent(key)}/${tail}`;
const nameOf = (item) => `${item.kind}/${item.id}`;
// By the platform's time, its sequence, the id: as the server does.
const before = (a, b) =>
  a.time - b.time || KINDS[a.kind] - KINDS[b.kind] || (a.seq ?? -1) - (b.seq ?? -1) || (a.kind === "event" ? a.id - b.id : a.id < b.id ? -1 : Number(a.id > b.id));

// The store of a conversation's thread, and the function that lets it go.
export function useThread(key) {
  let held = threads.get(key);
  if (!held) threads.set(key, (held = opened(key)));
  held.users += 1;
  let stopped = false;
  return {
    store: held.store,
    stop() {
      if (stopped) return;
      stopped = true;
      held.users -= 1;
      if (held.users) return;
      threads.delete(key);
      held.close();
    },
  };
}

function opened(key) {
  const store = Vue.shallowReactive({
    // `reach`: down to where it is read; what changes down to there is told.
    key, items: [], older: null, newer: null, reach: null, state: "loading", error: "", goingBack: false,
    // Replies and notes that are on their way to the server, oldest first; see sending.js.
    outgoing: [],
    // What the composer answers to, or repeats; and where the same person spoke elsewhere: [{time, platform, account, key}].
    quote: null, again: null, elsewhere: [],
    back, read, findBack, touch: () => (store.outgoing = [...store.outgoing]),
  });
  const known = new Map();
  let reading = null;

  function merge(items) {
    let changed = false;
    for (const item of items) {
      const name = nameOf(item);
      const held = known.get(name);
      if (held && JSON.stringify(held) === JSON.stringify(item)) continue;
      known.set(name, Vue.markRaw(item));
      changed = true;
    }
    if (changed) store.items = [...known.values()].sort(before);
    const here = new Set(items.map((item) => item.id));
    if (store.outgoing.some((one) => here.has(one.id))) store.outgoing = store.outgoing.filter((one) => !here.has(one.id));
  }

  // What is new; the newest page, when nothing is known yet or too much is new. One after the other.
  function read() {
    reading = (reading || Promise.resolve()).catch(() => null).then(readNow);
    return reading;
  }

  async function readNow() {
    try {
      let found = store.newer ? await ask(`${threadPath(key, "thread")}?${new URLSearchParams({ after: store.newer, reach: store.reach })}`) : null;
      if (found && !found.complete) {
        // Too much came to be told at once: begin anew, so that no hole is left in between.
        known.clear();
        found = null;
      }
      if (!found) {
        found = await ask(`${threadPath(key, "thread")}?limit=${PAGE}`);
        Object.assign(store, { older: found.older, reach: found.reach });
      }
      store.newer = found.newer;
      merge(found.items);
      Object.assign(store, { state: "ready", error: "" });
    } catch (wrong) {
      Object.assign(store, { error: wrong.message, state: store.state === "ready" && wrong.status !== 404 ? "ready" : "error" });
      throw wrong;
    }
  }

  // The page before; true when there was one.
  async function back() {
    if (!store.older || store.goingBack) return false;
    store.goingBack = true;
    try {
      const found = await ask(`${threadPath(key, "thread")}?limit=${PAGE}&before=${encodeURIComponent(store.older)}`);
      Object.assign(store, { older: found.older, reach: found.reach });
      merge(found.items);
      return true;
    } finally {
      store.goingBack = false;
    }
  }

  // Goes back until a message is loaded.
  async function findBack(message, most = 20) {
    for (let page = 0; page < most && !known.has(`message/${message}`); page += 1) if (!(await back())) break;
    return known.has(`message/${message}`);
  }

  const stops = [useInboxLive(), inboxLive.onThread(key, read)];
  inboxLive.watch(undefined, key);
  read().catch(() => null); // the store says why; the line reads again
  return { store, users: 0, close: () => stops.forEach((stop) => stop()) };
}
