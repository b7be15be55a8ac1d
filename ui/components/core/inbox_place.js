// Where one is in the inbox: the open conversation, the message to stand at, tab, order and filters. All of it is in the address,
// so that it can be shared and reloaded. Components of the inbox read `inboxPlace`; `weir-inbox-key` tells them of keys.
import * as Vue from "vue";

export const INBOX = "/inbox";
export const INBOX_FILTERS = ["platform", "account", "label", "lang", "assignee", "team", "sla", "anomaly", "vip", "sensitive", "waiting", "contact", "order", "q"];
export const INBOX_TABS = ["mine", "team", "unassigned", "at_risk", "all", "snoozed", "closed", "archived"];
export const INBOX_SORTS = ["due", "newest", "oldest", "value"];
const FIRST_TAB = "mine";

// `row`: the open conversation as the list has it, as far as it is known. `pane`: what a narrow window shows.
export const inboxPlace = Vue.shallowReactive({ key: "", message: "", tab: FIRST_TAB, sort: "due", filters: {}, pane: "list", row: null });

const narrow = matchMedia("(max-width: 760px)");
export const isNarrow = () => narrow.matches;

function read(search) {
  const query = new URLSearchParams(search);
  const among = (name, values) => (values.includes(query.get(name)) ? query.get(name) : values === INBOX_TABS ? FIRST_TAB : values[0]);
  const filters = {};
  for (const name of INBOX_FILTERS) if (query.get(name)) filters[name] = query.get(name);
  const key = query.get("key") || "";
  const pane = !key ? "list" : query.get("pane") === "context" ? "context" : "thread";
  return { key, message: query.get("message") || "", tab: among("tab", INBOX_TABS), sort: among("sort", INBOX_SORTS), filters, pane };
}

export function inboxAddress(where = inboxPlace) {
  const { tab = FIRST_TAB, sort = "due", filters = {}, key = "", message = "", pane = "" } = where;
  const values = { tab: tab === FIRST_TAB ? "" : tab, sort: sort === "due" ? "" : sort, ...filters, key, message, pane: pane === "context" ? pane : "" };
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return query.size ? `${INBOX}?${query}` : INBOX;
}

function keep(push) {
  const path = inboxAddress();
  if (path === location.pathname + location.search) return;
  const pushed = push || Boolean(history.state && history.state.pushed);
  history[push ? "pushState" : "replaceState"]({ page: path, pushed }, "", path);
}

function follow() {
  const before = inboxPlace.key;
  Object.assign(inboxPlace, read(location.search));
  if (inboxPlace.key !== before) inboxPlace.row = null;
}

// Where one comes from another page the address is put a moment after the page is drawn.
const ARRIVES_MS = 10;
let arriving = 0;
function arrive() {
  clearTimeout(arriving);
  if (location.pathname === INBOX) follow();
  else arriving = setTimeout(arrive, ARRIVES_MS);
}

// Moves within the page never ask the server for the page again.
export function startPlace() {
  follow();
  arrive();
  const back = (event) => {
    if (location.pathname !== INBOX) return;
    event.stopImmediatePropagation();
    follow();
  };
  const clicked = (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target === "_blank" || location.pathname !== INBOX) return;
    const href = link.getAttribute("href");
    if (href !== INBOX && !href.startsWith(`${INBOX}?`)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    goInbox(href);
  };
  window.addEventListener("popstate", back, true);
  document.addEventListener("click", clicked, true);
  return () => {
    clearTimeout(arriving);
    window.removeEventListener("popstate", back, true);
    document.removeEventListener("click", clicked, true);
  };
}

// To an address of the inbox, from wherever one is.
export function goInbox(path) {
  if (location.pathname !== INBOX) return window.emitEvent("sub_pages_navigate", path);
  if (path !== location.pathname + location.search) history.pushState({ page: path }, "", path);
  follow();
}

export function openConversation(key, { message = "", row = null } = {}) {
  const first = !inboxPlace.key;
  const same = inboxPlace.key === key;
  Object.assign(inboxPlace, { key, message, pane: "thread", row: row || (same ? inboxPlace.row : null) });
  keep(first || isNarrow());
}

export function closeConversation() {
  // On a phone the list is where one came from: the browser's own way back leads there, too.
  if (isNarrow() && history.state && history.state.pushed) return history.back();
  Object.assign(inboxPlace, { key: "", message: "", pane: "list", row: null });
  keep(false);
}

export function showPane(pane) {
  if (pane === inboxPlace.pane) return;
  if (pane === "thread" && isNarrow() && history.state && history.state.pushed) return history.back();
  inboxPlace.pane = pane;
  keep(isNarrow());
}

export function chooseList(change) {
  Object.assign(inboxPlace, change);
  keep(false);
}

// What a key of the inbox means to whoever has that part: `reply`, `note`, `template`, `translation`, …
export function tellKey(id) {
  window.dispatchEvent(new CustomEvent("weir-inbox-key", { detail: { id } }));
}
