// What the studio asks of /api/v1, and the answers in the shape its parts draw. Times in milliseconds.
import { ask, send } from "weir-core";

const BASE = "/settings/thresholds";
const time = (value) => (typeof value === "string" ? Date.parse(value) : value);

export const readSet = () => ask(BASE);
export const readVersions = async () => (await ask(`${BASE}/history?limit=200`)).items;
export const store = (changes, version, note, draft) =>
  send("PUT", BASE, { set: changes.map(({ scope, name, value }) => ({ scope, name, value })), version, note, draft });
export const activate = (number, version) => send("POST", `${BASE}/${number}/activate`, { version });

export async function preview(changes, since, until, signal) {
  const set = changes.map(({ scope, name, value }) => ({ scope, name, value }));
  const found = await send("POST", `${BASE}/preview`, { set, since, until }, signal);
  return { proposed: found.proposed, current: found.current, found: found.stored ?? null, events: found.events, partial: Boolean(found.partial) };
}

export async function history(name, scope, since, until, signal) {
  const query = new URLSearchParams({ name, scope, since, until });
  const found = await ask(`${BASE}/series?${query}`, signal);
  const points = (found.points || []).map(([at, p50, p95, max, count]) => ({ at: time(at), p50, p95, max, count }));
  return { points, stepMs: found.step_ms, since: time(found.since), until: time(found.until) };
}
