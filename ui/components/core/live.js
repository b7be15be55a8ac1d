// The monitor's store: one snapshot for all components, by push where it fits, by asking where it does not.
//
// Pushed: range 15 m without filter. Everything else is asked for again every few seconds. A push carries `seq`; after a gap, a
// reconnect, or when the window comes back to sight, the snapshot is fetched whole. Without news for `stale_ms` the store says
// so itself: old figures must never look healthy.
import * as Vue from "vue";
import { ask, ApiError } from "./api.js";

const boot = window.weir || {};
export const can = (permission) => (boot.can || []).includes(permission);

const PUSHED_RANGE = "15m";
const ASK_EVERY_MS = 5000;
const STALE_MS = boot.stale_ms || 10_000;
const MOST_POINTS = 2000;
const MOST_EARLY = 40;

export const live = Vue.shallowReactive({
  snap: null, now: Date.now(), receivedAt: 0, seq: 0, mode: "waiting", error: "",
  paused: false, missed: 0, range: PUSHED_RANGE, platform: "", account: "", selected: "", heat: "", wall: false,
  // Whether the figures may be believed: neither the browser nor the server calls them old.
  get sound() {
    return live.mode === "live" || live.mode === "paused";
  },
});

// Whether the snapshot shown is complete up to `seq`; if not, pushes wait in `early` for the one that is on its way.
let whole = false;
const early = [];
let users = 0;
let held = null;
let offset = 0;
let askedAt = 0;
let asking = null;
let timer = 0;
let waitingForSocket = 0;

// Pages without the store show ages too.
setInterval(() => users || (live.now = Date.now() + offset), 1000);

const pushed = () => live.range === PUSHED_RANGE && !live.platform && !live.account;

// The instant from which the chosen range counts: the rows behind a number of the range carry it.
const SPANS = { "15m": 15, "1h": 60, "6h": 360, "24h": 1440 };
export const rangeStart = () => new Date((live.snap ? live.snap.at : live.now) - SPANS[live.range] * 60_000).toISOString();

// What the monitor's address line holds, so that it can be shared and reloaded.
export const address = (more = {}) => ({ range: live.range === PUSHED_RANGE ? "" : live.range, platform: live.platform, account: live.account, heat: live.heat, ...more });

// Start with a page, stop with the last one: returns the function that stops.
export function useLive(filter = {}) {
  Object.assign(live, { range: filter.range || PUSHED_RANGE, platform: filter.platform || "", account: filter.account || "", selected: filter.incident || "", heat: filter.heat || "" });
  users += 1;
  if (users === 1) start();
  else {
    live.snap = null;
    choose({});
  }
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    users -= 1;
    if (users === 0) stop();
  };
}

function start() {
  Object.assign(live, { snap: null, receivedAt: 0, seq: 0, mode: "waiting", error: "", paused: false, missed: 0 });
  whole = false;
  held = null;
  early.length = 0;
  timer = setInterval(tick, 500);
  document.addEventListener("visibilitychange", seen);
  listen();
  resync();
}

function stop() {
  clearInterval(timer);
  clearTimeout(waitingForSocket);
  document.removeEventListener("visibilitychange", seen);
  if (window.socket) {
    window.socket.off("weir", onPush);
    window.socket.off("connect", resync);
  }
  if (asking) asking.abort();
  live.paused = false;
  showMissed();
}

// Components are mounted before the frame opens its socket.
function listen() {
  if (!window.socket) {
    waitingForSocket = setTimeout(listen, 30);
    return;
  }
  window.socket.on("weir", onPush);
  window.socket.on("connect", resync);
}

const seen = () => document.hidden || resync();

// Fetches the snapshot. Pushes that come meanwhile wait, and those newer than it are applied to it: so a slow line catches up.
export function resync() {
  askedAt = Date.now();
  if (asking) asking.abort();
  const mine = (asking = new AbortController());
  const query = new URLSearchParams({ range: live.range });
  for (const name of ["platform", "account"]) if (live[name]) query.set(name, live[name]);
  return ask(`/monitor?${query}`, mine.signal).then(
    (snap) => {
      live.error = "";
      // Pushes were faster, and nothing was missed: what is shown is newer.
      if (whole && pushed() && snap.seq < live.seq) return;
      whole = true;
      live.seq = snap.seq;
      arrived(snap);
      for (const delta of early.splice(0)) if (delta.seq === live.seq + 1) merge(delta);
    },
    (error) => {
      if (error.name !== "AbortError") live.error = error instanceof ApiError ? error.message : String(error);
    },
  );
}

export function choose(filter) {
  Object.assign(live, filter);
  held = null;
  whole = false;
  early.length = 0;
  return resync();
}

function onPush(message) {
  if (message.topic !== "monitor" || !pushed()) return;
  const delta = message.data;
  if (whole && delta.seq !== live.seq && delta.seq !== live.seq + 1) {
    whole = false;
    resync();
  }
  if (!whole) {
    early.push(delta);
    if (early.length > MOST_EARLY) early.shift();
  } else if (delta.seq === live.seq + 1) merge(delta);
}

// A push holds what changed since the one before.
function merge(delta) {
  const base = held || live.snap;
  live.seq = delta.seq;
  arrived({ ...base, ...delta, series: delta.series ? joined(base.series, delta.series) : base.series });
}

// The last points of a push replace those of the same time and follow the older ones.
function joined(old, fresh) {
  const tail = fresh.tail || fresh.points || [];
  if (!tail.length) return old;
  const before = old.points.filter((point) => point[0] < tail[0][0]);
  const span = old.points.length > 1 ? Math.max(old.points.length, 2) : MOST_POINTS;
  return { step_ms: fresh.step_ms || old.step_ms, points: [...before, ...tail].slice(-Math.min(MOST_POINTS, span)) };
}

function arrived(snap) {
  offset = snap.at - Date.now();
  live.receivedAt = Date.now();
  if (live.paused && live.snap) {
    held = snap;
    const known = new Set(live.snap.incidents.map((incident) => incident.id));
    live.missed = snap.incidents.filter((incident) => incident.status === "open" && !incident.muted_by && !known.has(incident.id)).length;
    showMissed();
  } else {
    live.snap = snap;
  }
  tick();
}

function tick() {
  const now = Date.now();
  live.now = now + offset;
  const limit = pushed() ? STALE_MS : STALE_MS + ASK_EVERY_MS;
  const old = live.receivedAt > 0 && now - live.receivedAt > limit;
  const state = (held || live.snap || {}).state;
  if (!live.snap) live.mode = live.error ? "stale" : "waiting";
  else if (old) live.mode = "stale";
  else if (state === "no_data" || state === "stale") live.mode = state;
  else live.mode = live.paused ? "paused" : "live";
  document.documentElement.dataset.live = live.mode;
  const quiet = now - Math.max(live.receivedAt, askedAt);
  if (!document.hidden && quiet >= ASK_EVERY_MS && (!pushed() || now - live.receivedAt >= ASK_EVERY_MS)) resync();
}

export function pause(wanted) {
  live.paused = wanted;
  if (!wanted) {
    if (held) live.snap = held;
    held = null;
    live.missed = 0;
    resync();
  }
  showMissed();
  tick();
}

// While paused the window's title counts what came meanwhile.
function showMissed() {
  const plain = document.title.replace(/^\(\d+\) /, "");
  const title = live.paused && live.missed ? `(${live.missed}) ${plain}` : plain;
  if (title !== document.title) document.title = title;
}
