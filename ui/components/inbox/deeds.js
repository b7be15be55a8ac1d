// What is done with conversations, one or many: the same for keys, menus and buttons. The server decides; what it answers is shown
// here and in this person's other windows at once.
import * as Vue from "vue";
import { ApiError, activeLabels, ask, dayMinute, inboxLive, inboxPlace, labelName, loadLabels, t, tell, tn, toMs, toast } from "weir-core";
import { openMenu } from "./menu.js";

const AT_ONCE = 100;
const MOST = 500;
const UNDO_MS = 9000;
const HOUR_MS = 3_600_000;

// `checked`: the keys that are selected. `busy`: {done, total} of what is done with many. `failed`: what did not work, key by key.
// `lost`: a claim that somebody else won. `undo`: {text, act}.
export const desk = Vue.shallowReactive({ checked: new Set(), busy: null, failed: null, undo: null, lost: null });
const ears = new Set();
let channel = null;
let rowOf = () => null;
let undoTimer = 0;

// fn(row): a row changed by what was done here or in another window of this person.
export function startDesk(find, changed) {
  rowOf = find;
  ears.add(changed);
  if (!channel) {
    channel = new BroadcastChannel("weir-inbox");
    channel.onmessage = ({ data }) => data && data.row && hear(data.row);
  }
  return () => ears.delete(changed);
}

// Answers may overtake each other: what was read before somebody's last change is old.
export const isOld = (row, before) => Boolean(before && row.desk_version < before.desk_version);

function hear(row) {
  if (isOld(row, known(row.key))) return;
  if (inboxPlace.key === row.key) inboxPlace.row = row;
  for (const fn of ears) fn(row);
}

export function rowChanged(row) {
  if (isOld(row, known(row.key))) return;
  hear(row);
  if (channel) channel.postMessage({ row: JSON.parse(JSON.stringify(row)) });
}

export const selection = () => [...desk.checked];
export function select(keys, on = true) {
  const next = new Set(desk.checked);
  for (const key of keys) {
    if (!on) next.delete(key);
    else if (next.size < MOST) next.add(key);
  }
  desk.checked = next;
  return next.size;
}
export const clearSelection = () => (desk.checked = new Set());
// What a deed is done with: what is selected, else the open conversation, else where the list's cursor stands.
export const targets = (cursor) => (desk.checked.size ? selection() : [inboxPlace.key || cursor].filter(Boolean));

const known = (key) => (inboxPlace.key === key && inboxPlace.row) || rowOf(key);
const at = (key) => `/conversations/${encodeURIComponent(key)}`;
const fresh = async (key) => {
  const { items } = await tell("/inbox/rows", { keys: [key] });
  return items[0] || null;
};

let teams = null;
let teamsAt = 0;
// Everybody who may be given a conversation, and the teams; asked for anew every minute.
export async function people() {
  if (!teams || Date.now() - teamsAt > 60_000) {
    const found = await ask("/teams");
    teams = found.items;
    teamsAt = Date.now();
  }
  const names = [...new Set([window.weir.me.name, ...teams.flatMap((team) => team.members)])].sort((a, b) => a.localeCompare(b));
  return { teams, names };
}

function told(text, undo) {
  clearTimeout(undoTimer);
  if (!undo) return toast(text);
  desk.undo = { text, act: undo };
  undoTimer = setTimeout(() => (desk.undo = null), UNDO_MS);
}
export async function undone() {
  const wish = desk.undo;
  clearTimeout(undoTimer);
  desk.undo = null;
  if (wish) await wish.act();
}

const sorry = (wrong) => {
  if (!(wrong instanceof ApiError)) throw wrong;
  toast(wrong.message, "error");
};

// One conversation's change; when somebody was faster it says who, and nothing is overwritten. Resolves to the row, or null.
async function change(key, path, body) {
  try {
    const row = await tell(at(key) + path, body);
    if (row && row.key) rowChanged(row);
    return row || (await fresh(key));
  } catch (wrong) {
    if (wrong.status === 409 && wrong.found && wrong.found.row) {
      rowChanged(wrong.found.row);
      if (wrong.found.assignee) desk.lost = { key, who: wrong.found.assignee, at: toMs(wrong.found.assigned_at) };
      else toast(wrong.message, "error");
      return null;
    }
    sorry(wrong);
    return null;
  }
}

const version = (key) => (known(key) || {}).desk_version;

async function take(key) {
  const row = await change(key, "/claim", { version: version(key) });
  if (row) told(t("inbox.taken"), () => change(key, "/assign", { assignee: null, team: row.team, version: row.desk_version }));
}

async function assign(keys) {
  const me = window.weir.me.name;
  const first = keys.length === 1 ? known(keys[0]) : null;
  const options = people().then(({ teams: all, names }) => [
    { id: `person ${me}`, label: me, icon: "user", hint: t("inbox.me") },
    ...names.filter((name) => name !== me).map((name) => ({ id: `person ${name}`, label: name, icon: "user", hint: first && first.assignee === name ? t("inbox.has_it") : "" })),
    ...all.map((team) => ({ id: `team ${team.id}`, label: team.name, icon: "users", hint: t("inbox.team") })),
    { id: "nobody", label: t("inbox.nobody"), icon: "circle-dashed" },
  ]);
  const chosen = await openMenu({ title: words("inbox.assign.title", keys), options });
  if (chosen === null) return;
  const { teams: all } = await people();
  const [kind, id] = [chosen.split(" ")[0], chosen.slice(chosen.indexOf(" ") + 1)];
  const name = kind === "team" ? all.find((team) => team.id === id).name : id;
  const body = kind === "person" ? { assignee: id } : kind === "team" ? { assignee: null, team: id } : { assignee: null };
  const text = kind === "nobody" ? t("inbox.assign.nobody") : t("inbox.assign.done", { name });
  if (keys.length > 1) return bulk(keys, "assign", body, text, null, givenBack(keys));
  const before = first && { assignee: first.assignee, team: first.team };
  const row = await change(keys[0], "/assign", { ...body, version: version(keys[0]) });
  if (row) told(text, before && (() => change(row.key, "/assign", { ...before, version: row.desk_version })));
}

function grouped(keys, by) {
  const groups = new Map();
  for (const row of keys.map(known).filter(Boolean)) groups.set(by(row), [...(groups.get(by(row)) || []), row]);
  return groups;
}

// Everyone's conversations as they were before, those of the same hands together.
function givenBack(keys) {
  const hands = grouped(keys, (row) => JSON.stringify({ assignee: row.assignee, team: row.team }));
  return async (done) => {
    for (const [hand, rows] of hands) await again(done, rows, "assign", JSON.parse(hand));
  };
}

// Of these, what was done is done otherwise.
async function again(done, rows, doing, more) {
  const keys = rows.map((row) => row.key).filter((key) => done.includes(key));
  if (keys.length) await bulk(keys, doing, more, t("inbox.undone"));
}

// Later today, tomorrow at nine, Monday at nine, or when one says.
function presets(now) {
  const nine = (days) => new Date(new Date(now).setHours(9, 0, 0, 0) + days * 24 * HOUR_MS).getTime();
  const untilMonday = ((8 - new Date(now).getDay()) % 7) || 7;
  const all = [["hour", now + HOUR_MS], ["hours", now + 4 * HOUR_MS], ["tomorrow", nine(1)], ["monday", nine(untilMonday)], ["week", nine(7)]];
  // On a Sunday or Monday two of them are the same.
  return all.filter(([, until], index) => all.findIndex(([, other]) => other === until) === index);
}

async function snooze(keys) {
  const options = presets(inboxLive.now).map(([name, until]) => ({ id: `at ${until}`, label: t(`inbox.snooze.${name}`), hint: dayMinute(until), icon: "alarm-clock" }));
  const chosen = await openMenu({ title: words("inbox.snooze.title", keys), options, when: t("inbox.snooze.when") });
  if (chosen === null) return false;
  const until = Number(chosen.slice(3));
  const text = t("inbox.snooze.done", { time: dayMinute(until) });
  const end = new Date(until).toISOString();
  if (keys.length > 1) return bulk(keys, "snooze", { until: end }, text, null, asSnoozed(keys));
  const before = known(keys[0]) || {};
  const back = isSnoozed(before) ? { status: "snoozed", until: before.snoozed_until } : { status: "open" };
  return status(keys, { status: "snoozed", until: end }, "snooze", {}, text, back, null);
}

const isSnoozed = (row) => toMs(row.snoozed_until || "") > inboxLive.now;

// Everyone's snooze as it was before, those with the same end together; what had none is awake again.
function asSnoozed(keys) {
  const ends = grouped(keys, (row) => (isSnoozed(row) ? row.snoozed_until : ""));
  return async (done) => {
    for (const [until, rows] of ends) await again(done, rows, until ? "snooze" : "wake", until ? { until } : {});
  };
}

// What hides conversations from the list: they are told away, and may be had back. Resolves to whether it was done.
async function status(keys, body, doing, more, text, back, undo) {
  if (keys.length > 1) return bulk(keys, doing, more, text, undo);
  const row = await change(keys[0], "/status", body);
  if (row) told(text, () => change(keys[0], "/status", back));
  return Boolean(row);
}

const resolve = (keys) => status(keys, { status: "closed" }, "close", {}, words("inbox.resolved", keys), { status: "open" }, "reopen");
const reopen = (keys) => status(keys, { status: "open" }, "reopen", {}, words("inbox.reopened", keys), { status: "closed" }, "close");

async function archive(keys) {
  const archived = !(keys.length === 1 && (known(keys[0]) || {}).archived);
  const text = words(archived ? "inbox.archived" : "inbox.unarchived", keys);
  if (keys.length > 1) return bulk(keys, "archive", {}, text, "unarchive");
  const row = await change(keys[0], "/archive", { archived });
  if (row) told(text, () => change(keys[0], "/archive", { archived: !archived }));
  return Boolean(row);
}

async function label(keys) {
  const rows = keys.map(known).filter(Boolean);
  const held = rows.flatMap((row) => row.labels || []);
  const on = (name) => rows.length > 0 && rows.every((row) => (row.labels || []).includes(name));
  const options = loadLabels().then(() => [...new Set([...activeLabels(), ...held])].map((name) => ({ id: name, label: labelName(name), words: name, on: on(name) })));
  const chosen = await openMenu({ title: words("inbox.label.title", keys), options, multi: true });
  if (chosen === null) return;
  const { on: add, off: remove } = chosen;
  if (!add.length && !remove.length) return;
  if (keys.length > 1) return bulk(keys, "label", { add, remove }, t("inbox.label.done"), null, (done) => bulk(done, "label", { add: remove, remove: add }, t("inbox.undone")));
  const done = await change(keys[0], "/labels", { add, remove });
  if (!done) return;
  const row = await fresh(keys[0]).catch(sorry);
  if (row) rowChanged(row);
  told(t("inbox.label.done"), () => change(keys[0], "/labels", { add: remove, remove: add }).then(() => fresh(keys[0])).then((now) => now && rowChanged(now)));
}

const words = (key, keys) => (keys.length === 1 ? t(`${key}.one`) : tn(key, keys.length));

// Many, a hundred at a time; what did not work is told key by key, the rest is done.
async function bulk(keys, doing, more, text, opposite = null, undo = null) {
  const failed = [], done = [];
  desk.busy = { done: 0, total: keys.length };
  try {
    for (let start = 0; start < keys.length; start += AT_ONCE) {
      const some = keys.slice(start, start + AT_ONCE);
      const { items } = await tell("/inbox/bulk", { keys: some, do: doing, ...more });
      for (const item of items) {
        if (item.state === "done") done.push(item.key);
        else failed.push({ key: item.key, name: nameOf(item.key), reason: item.reason || t(`inbox.bulk.${item.state}`) });
        if (item.row) rowChanged(item.row);
      }
      desk.busy = { done: start + some.length, total: keys.length };
    }
  } catch (wrong) {
    sorry(wrong);
    const told = new Set([...done, ...failed.map((one) => one.key)]);
    for (const key of keys) if (!told.has(key)) failed.push({ key, name: nameOf(key), reason: wrong.message });
  } finally {
    desk.busy = null;
  }
  desk.failed = failed.length ? { items: failed, done: done.length } : null;
  desk.checked = new Set(failed.map((one) => one.key));
  const back = undo ? () => undo(done) : opposite && (() => bulk(done, opposite, {}, t("inbox.undone")));
  if (done.length) told(failed.length ? t("inbox.bulk.part", { done: done.length, failed: failed.length }) : text, back);
  window.dispatchEvent(new CustomEvent("weir-inbox-key", { detail: { id: "renew" } }));
  return done.length > 0;
}

const nameOf = (key) => {
  const row = known(key);
  return (row && (row.contact_name || row.contact_id)) || key.split("/").pop();
};

// Resolves to whether the conversation is now hidden from the list it was in.
export async function act(doing, keys) {
  if (!keys.length) return false;
  if (doing === "take") return keys.length === 1 ? take(keys[0]) && false : bulk(keys, "assign", { assignee: window.weir.me.name }, words("inbox.taken_many", keys), null, givenBack(keys)) && false;
  if (doing === "assign") return assign(keys).catch(sorry) && false;
  if (doing === "label") return label(keys).catch(sorry) && false;
  if (doing === "snooze") return snooze(keys);
  if (doing === "archive") return archive(keys);
  if (doing === "reopen") return reopen(keys);
  if (doing === "resolve") {
    const row = keys.length === 1 ? known(keys[0]) : null;
    return row && row.status === "closed" ? reopen(keys) && false : resolve(keys);
  }
  return false;
}
