// The page's figures: asked for every few seconds while the page is in sight. Old figures say so themselves, and who may not see
// them any more has none left on the screen.
import * as Vue from "vue";
import { ApiError, ask } from "weir-core";

const EACH_MS = 3000;
const STALE_MS = 10_000;
const FORBIDDEN = 403;

export const workload = Vue.shallowReactive({ board: null, now: Date.now(), receivedAt: 0, error: "", mode: "waiting" });

let offset = 0;
let asking = null;
let askedAt = 0;

// Starts with the page; returns the function that stops.
export function useWorkload() {
  Object.assign(workload, { board: null, receivedAt: 0, error: "", mode: "waiting" });
  const clock = setInterval(tick, 500);
  const seen = () => document.hidden || renew();
  document.addEventListener("visibilitychange", seen);
  renew();
  return () => {
    clearInterval(clock);
    document.removeEventListener("visibilitychange", seen);
    if (asking) asking.abort();
    asking = null;
  };
}

async function renew() {
  if (asking) return;
  const mine = (asking = new AbortController());
  askedAt = Date.now();
  try {
    const board = await ask("/workload", mine.signal);
    offset = board.at - Date.now();
    Object.assign(workload, { board, receivedAt: Date.now(), error: "" });
  } catch (wrong) {
    if (wrong.name === "AbortError") return;
    if (!(wrong instanceof ApiError)) throw wrong;
    workload.error = wrong.message;
    if (wrong.status === FORBIDDEN) workload.board = null;
  } finally {
    if (asking === mine) asking = null;
    tick();
  }
}

function tick() {
  const now = Date.now();
  workload.now = now + offset;
  if (!workload.board) workload.mode = workload.error ? "stale" : "waiting";
  else workload.mode = now - workload.receivedAt > STALE_MS ? "stale" : "live";
  if (!document.hidden && now - askedAt >= EACH_MS) renew();
}
