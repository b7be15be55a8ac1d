// Sending: every reply and note has one Idempotency-Key from when it is asked for until the server has answered, so that a lost
// answer can be asked for again and nothing goes out twice. What is on its way survives a reload of the page.
import * as Vue from "vue";
import { ApiError, inboxLive, t } from "weir-core";
import { threadPath } from "./store.js";

const KEPT = "weir-unsent";
const FIRST_WAIT_MS = 1500;
const LONGEST_WAIT_MS = 20_000;
const TIMEOUT_MS = 30_000;
// So long it is asked about by itself; later a person decides, for somebody else may have answered meanwhile.
const BY_ITSELF_MS = 60_000;

const all = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) || [];
  } catch {
    return [];
  }
};
const keep = (list) => localStorage.setItem(KEPT, JSON.stringify(list));
const bare = ({ idem, key, mode, text, files, reply_to, resend_of, again, compress, at, state, error, twin }) => ({ idem, key, mode, text, files, reply_to, resend_of, again, compress, at, state, error, twin });
const remember = (one) => keep([...all().filter((other) => other.idem !== one.idem), bare(one)]);
const forget = (idem) => keep(all().filter((other) => other.idem !== idem));

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What was on its way when the page was left is asked about again, under its key; what was refused waits for a person.
export function resume(store) {
  for (const one of all()) {
    if (one.key !== store.key || store.outgoing.some((other) => other.idem === one.idem)) continue;
    const waits = one.state === "refused" || one.state === "twin" || inboxLive.now - one.at > BY_ITSELF_MS;
    if (waits) store.outgoing = [...store.outgoing, Vue.reactive({ ...one, state: one.state === "sending" ? "unanswered" : one.state, id: "", tries: 0 })];
    else start(store, { ...one });
  }
}

// `asked`: {mode, text, files, reply_to, resend_of, again}. Resolves to the entry in `store.outgoing` once it is answered.
export function submit(store, asked) {
  return start(store, { idem: newKey(), key: store.key, at: inboxLive.now, ...asked });
}

function start(store, asked) {
  // What becomes of it is shown by whoever shows it.
  const one = Vue.reactive({ ...asked, state: "sending", error: "", id: "", tries: 0 });
  remember(one);
  store.outgoing = [...store.outgoing, one];
  return run(store, one);
}

// Once more under the same key; `again`: the same words, although they went out a moment ago.
export function repeat(store, one, again = false) {
  Object.assign(one, { state: "sending", error: "", again: again || one.again });
  remember(one);
  store.touch();
  return run(store, one);
}

export function discard(store, one) {
  forget(one.idem);
  clearTimeout(one.timer);
  one.state = "discarded";
  store.outgoing = store.outgoing.filter((other) => other !== one);
}

async function run(store, one) {
  try {
    const told = await post(one);
    forget(one.idem);
    one.id = told.message || told.note;
    one.state = "taken";
    store.touch();
    await store.read().catch(() => null); // the line brings it
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    missed(store, one, wrong);
  }
  return one;
}

function missed(store, one, wrong) {
  const found = wrong.found || {};
  const unsure = wrong.status === 0 || wrong.status === 429 || wrong.status >= 500;
  if (unsure) {
    // Nobody knows whether it was taken: the same key makes asking again harmless.
    one.tries += 1;
    Object.assign(one, { state: "unanswered", error: wrong.status === 0 ? "" : wrong.message });
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(one.tries, 6));
    if (inboxLive.now - one.at < BY_ITSELF_MS) one.timer = setTimeout(() => one.state === "unanswered" && repeat(store, one), wait);
  } else {
    const twin = wrong.status === 409 && found.code === "identical";
    Object.assign(one, { state: twin ? "twin" : "refused", error: wrong.message, twin: twin ? { ago_s: found.ago_s, who: found.who } : null });
  }
  remember(one);
  store.touch();
}

async function post(one) {
  const body = one.mode === "note" ? { private: true, text: one.text } : { text: one.text, reply_to: one.reply_to || null, resend_of: one.resend_of || null, files: one.files.map(({ digest, name, mime }) => ({ digest, name, mime })), again: Boolean(one.again), compress: Boolean(one.compress) };
  const headers = { Accept: "application/json", "X-Requested-With": "weir", "Content-Type": "application/json", "Idempotency-Key": one.idem };
  let response, found;
  try {
    response = await fetch(`/api/v1${threadPath(one.key, "messages")}`, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
    found = await response.json();
  } catch {
    throw new ApiError(response && !response.ok ? response.status : 0, t("error.offline"));
  }
  if (response.ok) return found;
  const wrong = new ApiError(response.status, found.detail || found.title || t("error.status", { status: response.status }));
  wrong.found = found;
  throw wrong;
}
