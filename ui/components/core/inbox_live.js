// The inbox's line to the server: what is in sight changes as it happens, and after an absence nothing is missed.
//
// One socket a window. It tells which rows and which thread are in sight; the server tells what changed of them. After a lost
// connection the socket says what it had last: what changed since is read before `caughtUp` is true again, and only then may be
// sent. Without a socket the same is asked for every few seconds, and the screen says so.
import * as Vue from "vue";
import { ask, tell } from "./api.js";

const PING_MS = 10_000;
const SILENT_MS = 25_000;
const POLL_MS = 3000;
const POLL_AFTER_MS = 4000;
const WAITS_MS = [300, 800, 2000, 4000, 8000];
const ENDED = 4401;
const PATH = "/api/v1/inbox/live";

export const inboxLive = Vue.shallowReactive({
  // connecting, catching_up, current, polling (no socket, or the server itself hears nothing), offline
  state: "connecting",
  counts: null,
  now: Date.now(),
  // How many conversations outside of the window changed since the list was read.
  fresh: 0,
  // Since when the line was down, and how many conversations changed meanwhile (null: nobody knows): for "while you were away".
  awaySince: 0,
  missed: 0,
  degraded: "",
  polledAt: 0,
  get caughtUp() {
    return inboxLive.state === "current" || (inboxLive.state === "polling" && inboxLive.now - inboxLive.polledAt < 2 * POLL_MS);
  },
  watch, typing, onRows, onGone, onFresh, onReset, onThread, onPresent, onAlert, refresh,
});

let users = 0;
let socket = null;
let epoch = null;
let seq = 0;
let attempt = 0;
let heardAt = 0;
let offset = 0;
let downSince = 0;
let retry = 0;
let clock = 0;
let polling = false;
let keys = [];
let thread = null;
const ears = { rows: new Set(), gone: new Set(), fresh: new Set(), reset: new Set(), alert: new Set() };
const threads = new Map();
const rooms = new Map();

// Start with the page; returns the function that stops. Twice is counted.
export function useInboxLive() {
  users += 1;
  if (users === 1) start();
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    users -= 1;
    if (users === 0) stop();
  };
}

function hear(set, fn) {
  set.add(fn);
  return () => set.delete(fn);
}

// fn([row, …]): rows in sight that changed.
function onRows(fn) { return hear(ears.rows, fn); }
// fn([key, …]): rows that are no more, or not for this person.
function onGone(fn) { return hear(ears.gone, fn); }
// fn(): the list may have another order or other members; ask for it again when it suits.
function onFresh(fn) { return hear(ears.fresh, fn); }
// async fn(): what changed is not known; read everything anew. Waited for before anything may be sent.
function onReset(fn) { return hear(ears.reset, fn); }
// fn({id, key, message, urgency, title, text})
function onAlert(fn) { return hear(ears.alert, fn); }
// async fn(): the thread has something new; read what follows. Waited for before anything may be sent.
function onThread(key, fn) { return hearKeyed(threads, key, fn); }
// fn([{name, typing}]): who else has the conversation open.
function onPresent(key, fn) { return hearKeyed(rooms, key, fn); }

function hearKeyed(map, key, fn) {
  if (!map.has(key)) map.set(key, new Set());
  const off = hear(map.get(key), fn);
  return () => {
    off();
    if (map.has(key) && !map.get(key).size) map.delete(key);
  };
}

// What is in sight: the keys of rows, and the open conversation (leave out what stays the same).
function watch(nextKeys = keys, nextThread = thread) {
  if (nextThread === thread && nextKeys.length === keys.length && nextKeys.every((key, index) => key === keys[index])) return;
  keys = [...nextKeys];
  thread = nextThread || null;
  say({ type: "watch", keys, thread });
}

let typedAt = 0;
function typing(key) {
  if (Date.now() - typedAt < 2500) return;
  typedAt = Date.now();
  say({ type: "typing", key });
}

function say(frame) {
  if (socket && socket.readyState === WebSocket.OPEN && epoch !== null) socket.send(JSON.stringify(frame));
}

function start() {
  Object.assign(inboxLive, { state: "connecting", counts: null, fresh: 0, awaySince: 0, missed: 0, degraded: "" });
  attempt = 0;
  downSince = Date.now();
  clock = setInterval(tick, 1000);
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("online", connect);
  connect();
}

function stop() {
  clearInterval(clock);
  clearTimeout(retry);
  document.removeEventListener("visibilitychange", seen);
  window.removeEventListener("online", connect);
  const old = socket;
  socket = null;
  if (old) old.close();
}

// A window that comes back to sight may have slept: an answer tells whether the line still lives.
const seen = () => document.hidden || (socket ? say({ type: "ping", id: Date.now() }) : connect());

function connect() {
  clearTimeout(retry);
  if (!users || (socket && socket.readyState <= WebSocket.OPEN)) return;
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${PATH}`);
  socket = mine;
  mine.onopen = () => mine === socket && mine.send(JSON.stringify({ type: "hello", epoch, seq }));
  mine.onmessage = (event) => mine === socket && heard(JSON.parse(event.data));
  mine.onclose = (event) => mine === socket && closed(event.code);
}

function closed(code) {
  socket = null;
  if (code === ENDED) {
    location.href = `/login?error=expired&next=${encodeURIComponent(location.pathname + location.search)}`;
    return;
  }
  if (!downSince) downSince = Date.now();
  if (inboxLive.state === "current" || inboxLive.state === "catching_up") inboxLive.state = "connecting";
  const wait = WAITS_MS[Math.min(attempt, WAITS_MS.length - 1)];
  attempt += 1;
  retry = setTimeout(connect, wait * (0.75 + Math.random() / 2));
}

function heard(frame) {
  heardAt = Date.now();
  if (frame.type === "hello") return greeted(frame);
  if (frame.type === "news") return news(frame);
  if (frame.type === "present") for (const fn of rooms.get(frame.key) || []) fn(frame.who);
  if (frame.type === "alert") for (const fn of ears.alert) fn(frame);
  if (frame.type === "degraded") {
    inboxLive.degraded = frame.why || "";
    if (frame.why) {
      inboxLive.state = "polling";
      poll();
    } else catchUp(null);
  }
}

function greeted(frame) {
  const first = epoch === null;
  const complete = frame.complete && epoch === frame.epoch;
  epoch = frame.epoch;
  seq = frame.seq;
  attempt = 0;
  Object.assign(inboxLive, { awaySince: first ? 0 : downSince, missed: complete ? frame.changed.length : null });
  say({ type: "watch", keys, thread });
  if (first && !keys.length && !thread) {
    downSince = 0;
    inboxLive.state = "current";
  } else catchUp(complete ? frame.changed : null);
}

// Read what changed while nobody told; null: nobody knows what.
async function catchUp(changed) {
  const mine = socket;
  inboxLive.state = "catching_up";
  try {
    if (changed === null) await everything();
    else if (changed.length) {
      const here = new Set(changed);
      await rowsOf(keys.filter((key) => here.has(key)));
      if (thread && here.has(thread)) await read(thread);
      fresh(changed.length);
    }
  } catch {
    if (mine === socket) retry = setTimeout(() => mine === socket && catchUp(changed), POLL_MS);
    return;
  }
  if (mine !== socket || !mine) return;
  downSince = 0;
  inboxLive.state = inboxLive.degraded ? "polling" : "current";
}

async function everything() {
  await Promise.all([...ears.reset].map((fn) => fn()));
  if (!ears.reset.size) await rowsOf(keys);
  if (thread) await read(thread);
}

// What changed is asked for again, whatever the line says: for a retry by hand.
function refresh() { return everything(); }

async function read(key) {
  await Promise.all([...(threads.get(key) || [])].map((fn) => fn()));
}

async function rowsOf(wanted) {
  if (!wanted.length) return;
  const { items } = await tell("/inbox/rows", { keys: wanted });
  const found = new Set(items.map((row) => row.key));
  for (const fn of ears.rows) fn(items);
  const lost = wanted.filter((key) => !found.has(key));
  if (lost.length) for (const fn of ears.gone) fn(lost);
}

function news(frame) {
  seq = frame.seq;
  offset = frame.at - Date.now();
  if (frame.counts) inboxLive.counts = frame.counts;
  if (frame.rows.length) for (const fn of ears.rows) fn(frame.rows);
  if (frame.gone.length) for (const fn of ears.gone) fn(frame.gone);
  if (frame.fresh) fresh(frame.fresh);
  if (frame.thread) read(frame.thread.key).catch(() => downSince || catchUpLater());
}

// A thread that could not be read is behind: nothing may be sent until it is read.
function catchUpLater() {
  if (inboxLive.state === "current") catchUp(null);
}

function fresh(count) {
  inboxLive.fresh += count;
  for (const fn of ears.fresh) fn();
}

async function poll() {
  if (polling || document.hidden) return;
  polling = true;
  try {
    const counts = await ask("/inbox/counts");
    await rowsOf(keys);
    if (thread) await read(thread);
    for (const fn of ears.fresh) fn();
    Object.assign(inboxLive, { counts, polledAt: Date.now() + offset });
    if (inboxLive.state !== "current" && inboxLive.state !== "catching_up") inboxLive.state = "polling";
  } catch (wrong) {
    if (inboxLive.state === "polling" || inboxLive.state === "connecting") inboxLive.state = wrong.status === 0 ? "offline" : "connecting";
  } finally {
    polling = false;
  }
}

let ticks = 0;
function tick() {
  const now = Date.now();
  inboxLive.now = now + offset;
  ticks += 1;
  if (socket && socket.readyState === WebSocket.OPEN) {
    if (now - heardAt > SILENT_MS && epoch !== null && heardAt) socket.close();
    else if (ticks % (PING_MS / 1000) === 0) say({ type: "ping", id: now });
  }
  const away = downSince && now - downSince > POLL_AFTER_MS && inboxLive.state !== "catching_up";
  if ((away || inboxLive.degraded) && ticks % (POLL_MS / 1000) === 0) poll();
}
