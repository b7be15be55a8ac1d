// The chat on a shop's page: see docs/webchat.md. Everything people write is put in as text, never as markup.
(() => {
  "use strict";
  const script = document.currentScript;
  if (window.WeirChat || !script) return;
  const base = script.src.replace(/weir-chat\.js.*$/, "");
  const version = new URL(script.src).search;
  const option = script.dataset;
  const prefix = `weir-chat:${base}:${option.userId || ""}:`;
  const LONGEST = 4000, MOST_WAITING = 200, LARGEST = 10485760, PING_MS = 25000, DEAF_MS = 15000;

  // ---- what lasts: one entry a message, so that two windows never write over each other ----
  const memory = new Map();
  const disk = (() => {
    try {
      localStorage.setItem(prefix + "?", "1");
      localStorage.removeItem(prefix + "?");
      return localStorage;
    } catch { return null; }
  })();
  const keep = (name, value) => {
    try { if (disk) { disk.setItem(prefix + name, value); return; } } catch { /* full: it is kept while the page is open */ }
    memory.set(name, value);
  };
  const kept = (name) => memory.get(name) ?? disk?.getItem(prefix + name) ?? null;
  const drop = (name) => { memory.delete(name); disk?.removeItem(prefix + name); };
  const waiting = () => {
    const names = new Set([...memory.keys()].filter((name) => name.startsWith("out:")));
    for (let i = 0; disk && i < disk.length; i++) {
      const name = disk.key(i);
      if (name.startsWith(prefix + "out:")) names.add(name.slice(prefix.length));
    }
    return [...names].sort().map((name) => JSON.parse(kept(name) || "null")).filter(Boolean);
  };

  let lastTime = 0, lastCount = 0;
  const uuid7 = () => {
    const now = Math.max(Date.now(), lastTime);
    lastCount = now === lastTime ? lastCount + 1 : crypto.getRandomValues(new Uint16Array(1))[0] & 0x3ff;
    lastTime = now + (lastCount > 0xfff ? 1 : 0);
    lastCount &= 0xfff;
    const random = [...crypto.getRandomValues(new Uint8Array(8))];
    random[0] = (random[0] & 0x3f) | 0x80;
    const hex = lastTime.toString(16).padStart(12, "0") + "7" + lastCount.toString(16).padStart(3, "0")
      + random.map((one) => one.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  // ---- words ----
  let words = {};
  const say = (key) => words[key] || key;
  const LANGUAGES = ["en", "zh", "es", "pt", "de", "fr", "ja", "th", "id", "vi"];
  const language = [option.lang, ...(navigator.languages || [navigator.language])]
    .map((one) => (one || "").slice(0, 2).toLowerCase()).find((one) => LANGUAGES.includes(one)) || "en";

  // ---- the page ----
  const make = (tag, attributes = {}, ...inside) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== null) made.setAttribute(name, value);
    }
    made.append(...inside);
    return made;
  };
  const picture = (path) => {
    const space = "http://www.w3.org/2000/svg";
    const drawn = document.createElementNS(space, "svg"), line = document.createElementNS(space, "path");
    drawn.setAttribute("viewBox", "0 0 24 24");
    drawn.setAttribute("aria-hidden", "true");
    line.setAttribute("d", path);
    drawn.append(line);
    return drawn;
  };
  const STYLE = `
:host{all:initial;--bg:#fff;--soft:#f2f4f7;--line:#e0e3e9;--text:#13161c;--dim:#5a6270;--accent:#3358d4;--on:#fff;--red:#b4232a;
position:fixed;z-index:2147483000;inset-block-end:20px;inset-inline-end:20px;color-scheme:light;
font:14px/1.45 Inter,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans Thai",system-ui,sans-serif}
:host([theme=dark]){--bg:#13161b;--soft:#20242c;--line:#323843;--text:#eceef2;--dim:#a4adbb;--accent:#7b96ff;--on:#0c0e12;--red:#ff8589;color-scheme:dark}
*{box-sizing:border-box;font:inherit}[hidden]{display:none!important}
button{cursor:pointer;border:0;background:none;color:inherit;padding:0}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
svg{width:22px;height:22px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round;display:block}
.launch{position:relative;display:grid;place-items:center;width:56px;height:56px;border-radius:50%;background:var(--accent);color:var(--on);box-shadow:0 8px 24px -6px rgb(16 24 40/45%);margin-inline-start:auto}
.launch svg{width:26px;height:26px}
.badge{position:absolute;inset-block-start:-2px;inset-inline-end:-2px;min-width:20px;padding:0 5px;border-radius:10px;background:#c9252d;color:#fff;font-size:12px;line-height:20px;font-weight:600;text-align:center}
.panel{display:flex;flex-direction:column;width:372px;height:min(580px,calc(100vh - 110px));margin-block-end:12px;border:1px solid var(--line);border-radius:14px;background:var(--bg);color:var(--text);overflow:hidden;box-shadow:0 24px 48px -12px rgb(16 24 40/30%)}
header{display:flex;align-items:center;gap:8px;padding:14px 12px 14px 16px;border-block-end:1px solid var(--line)}
h2{flex:1;margin:0;font-size:15px;font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.icon{display:grid;place-items:center;width:36px;height:36px;border-radius:8px;color:var(--dim);flex:none}.icon:hover{background:var(--soft);color:var(--text)}
.log{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:16px;display:flex;flex-direction:column;gap:6px}
.m{max-width:82%;align-self:flex-end;display:flex;flex-direction:column;align-items:flex-end}
.m.ours{align-self:flex-start;align-items:flex-start}
.b{padding:8px 12px;border-radius:14px 14px 4px 14px;background:var(--accent);color:var(--on);white-space:pre-wrap;overflow-wrap:anywhere}
.ours .b{border-radius:14px 14px 14px 4px;background:var(--soft);color:var(--text)}
.meta{font-size:11.5px;color:var(--dim);padding:2px 4px}.failed .meta{color:var(--red)}
.chip{display:block;text-align:start;padding:7px 11px;margin-block-start:3px;border:1px solid var(--line);border-radius:10px;overflow-wrap:anywhere;color:var(--text)}button.chip:hover{background:var(--soft)}
.note{padding:8px 16px;font-size:12.5px;color:var(--dim);background:var(--soft);border-block-start:1px solid var(--line)}.note.bad{color:var(--red)}
.typing{min-height:20px;padding:0 18px;font-size:12px;color:var(--dim)}
form{display:flex;flex-direction:column;gap:8px;padding:10px 12px;border-block-start:1px solid var(--line)}
.row{display:flex;align-items:flex-end;gap:4px}
textarea,input{width:100%;color:var(--text);background:var(--soft);border:1px solid transparent;border-radius:10px;padding:8px 11px;resize:none}
textarea{flex:1;max-height:120px}textarea:focus,input:focus{border-color:var(--accent);outline:none}
::placeholder{color:var(--dim);opacity:1}
.send{background:var(--accent);color:var(--on)}.send:hover{background:var(--accent);color:var(--on);filter:brightness(1.08)}
@media(max-width:480px){:host(.open){inset:0}.open .panel,.panel{width:100vw;height:100dvh;margin:0;border:0;border-radius:0}:host(.open) .launch{display:none}}`;

  const host = make("div", { class: "weir-chat" });
  const root = host.attachShadow({ mode: "open" });
  const dressed = () => {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch { root.append(make("style", { nonce: script.nonce || null }, STYLE)); }
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const themed = () => host.setAttribute("theme", option.theme || (dark.matches ? "dark" : "light"));

  let panel, log, typing, note, box, badge, launch, contact, nameBox, mailBox, title;
  const build = () => {
    badge = make("span", { class: "badge", hidden: "" });
    launch = make("button", { class: "launch", type: "button", "aria-expanded": "false", "aria-label": say("open"), onclick: toggle },
      picture("M21 11.5a8.5 8.5 0 0 1-12.4 7.6L3 21l1.9-5.6A8.5 8.5 0 1 1 21 11.5z"), badge);
    title = make("h2", { id: "t" }, option.title || say("title"));
    log = make("div", { class: "log", role: "log", "aria-live": "polite", tabindex: "0", "aria-label": say("messages") });
    typing = make("div", { class: "typing", role: "status" });
    note = make("div", { class: "note", role: "status", hidden: "" });
    nameBox = make("input", { name: "name", autocomplete: "name", maxlength: "200", "aria-label": say("name"), placeholder: say("name") });
    mailBox = make("input", { name: "email", type: "email", autocomplete: "email", maxlength: "254", "aria-label": say("email"), placeholder: say("email") });
    contact = make("div", { class: "row", hidden: "" }, nameBox, mailBox);
    box = make("textarea", { rows: "1", maxlength: String(LONGEST), dir: "auto", "aria-label": say("placeholder"), placeholder: say("placeholder"),
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); write(); }
      },
      oninput: () => { box.style.height = "auto"; box.style.height = `${box.scrollHeight + 2}px`; hint(); } });
    const picker = make("input", { type: "file", hidden: "", tabindex: "-1", accept: "image/png,image/jpeg,image/gif,image/webp,application/pdf,text/plain",
      onchange: () => { for (const file of picker.files) upload(file); picker.value = ""; } });
    const form = make("form", { novalidate: "", onsubmit: (event) => { event.preventDefault(); write(); } }, contact,
      make("div", { class: "row" },
        make("button", { class: "icon", type: "button", "aria-label": say("attach"), onclick: () => picker.click() },
          picture("M21 11l-8.6 8.6a5.5 5.5 0 0 1-7.8-7.8L13.2 3.2a3.7 3.7 0 0 1 5.2 5.2l-8.6 8.6a1.8 1.8 0 0 1-2.6-2.6L15 6.6")),
        picker, box,
        make("button", { class: "icon send", type: "submit", "aria-label": say("send") }, picture("M4 12l16-8-6 16-3-7z"))));
    panel = make("section", { class: "panel", role: "dialog", "aria-labelledby": "t", hidden: "", onkeydown: (event) => { if (event.key === "Escape") close(); } },
      make("header", {}, title, make("button", { class: "icon", type: "button", "aria-label": say("close"), onclick: () => close() }, picture("M6 6l12 12M18 6L6 18"))),
      log, typing, note, form);
    dressed();
    themed();
    dark.addEventListener("change", themed);
    root.append(panel, launch);
    document.body.append(host);
  };
  const isOpen = () => panel && !panel.hidden;
  const open = () => {
    panel.hidden = false;
    host.classList.add("open");
    launch.setAttribute("aria-expanded", "true");
    launch.setAttribute("aria-label", say("close"));
    box.focus();
    log.scrollTop = log.scrollHeight;
    read();
    connect();
  };
  const close = () => {
    panel.hidden = true;
    host.classList.remove("open");
    launch.setAttribute("aria-expanded", "false");
    launch.setAttribute("aria-label", say("open"));
    launch.focus();
  };
  const toggle = () => (isOpen() ? close() : open());

  // ---- messages: what the shop's side has comes in its order, what still waits is at the end ----
  const shown = new Map();
  let order = 0;
  const put = (item, known) => {
    let entry = shown.get(item.id);
    if (!entry) {
      entry = { id: item.id, at: item.at, ours: Boolean(item.ours), place: Infinity, number: order++ };
      entry.meta = make("span", { class: "meta" });
      entry.node = make("div", { class: entry.ours ? "m ours" : "m", "data-id": item.id });
      if (item.name) entry.node.append(make("span", { class: "meta" }, item.name));
      if (item.text) entry.node.append(make("span", { class: "b", dir: "auto" }, item.text));
      for (const file of item.files || []) entry.node.append(chip(item, file));
      entry.node.append(entry.meta);
      shown.set(item.id, entry);
    }
    if (known && entry.place === Infinity) entry.place = order++;
    if (known) mark(entry, "sent");
    return entry;
  };
  const mark = (entry, state) => {
    if (entry.state === "sent" && state !== "failed") return;
    entry.state = state;
    entry.node.classList.toggle("failed", state === "failed");
    const time = new Date(entry.at).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
    entry.meta.textContent = state === "sent" ? time : say(state);
  };
  const arrange = () => {
    const low = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    const all = [...shown.values()].sort((a, b) => (a.place === b.place ? a.number - b.number : a.place - b.place));
    all.forEach((entry, index) => {
      if (log.children[index] !== entry.node) log.insertBefore(entry.node, log.children[index] || null);
    });
    if (low) log.scrollTop = log.scrollHeight;
  };
  const chip = (item, file) => {
    const size = file.size ? ` · ${Math.max(1, Math.round(file.size / 1024))} KB` : "";
    if (file.index === undefined) return make("span", { class: "chip" }, `📎 ${file.name}${size}`);
    return make("button", { class: "chip", type: "button", onclick: () => fetchFile(item.id, file) }, `📎 ${file.name}${size}`);
  };
  const tell = (key, bad) => {
    note.hidden = !key;
    note.classList.toggle("bad", Boolean(bad));
    note.textContent = key ? say(key) : "";
  };
  let away = false;
  const setAway = (now) => {
    away = now;
    contact.hidden = !away || Boolean(kept("contact"));
    if (up) tell(away ? "away" : "");
  };

  const write = (files) => {
    const text = files ? "" : box.value.trim();
    if (!text && !files) return;
    const item = { id: uuid7(), text, at: Date.now(), files };
    if (away && !kept("contact")) {
      const email = mailBox.value.trim();
      if (!/^[^@\s]+@[^@\s]+$/.test(email)) { tell("email_needed", true); mailBox.focus(); return; }
      keep("contact", JSON.stringify({ name: nameBox.value.trim(), email }));
    }
    if (waiting().length >= MOST_WAITING) { tell("full", true); return; }
    const reach = kept("contact");
    keep(`out:${item.id}`, JSON.stringify({ ...item, contact: reach && away ? JSON.parse(reach) : undefined }));
    mark(put(item), "waiting");
    arrange();
    log.scrollTop = log.scrollHeight;
    if (!files) { box.value = ""; box.style.height = "auto"; }
    setAway(away);
    flush();
    connect();
  };
  const post = (item) => ({
    id: item.id, text: item.text, age: Math.max(0, Date.now() - item.at), files: item.files || [],
    page: location.href.slice(0, 1000), locale: navigator.language, ...(item.contact ? { contact: item.contact } : {}),
  });
  const settle = (outcome) => {
    flying.delete(outcome.id);
    const entry = shown.get(outcome.id);
    if (outcome.state === "later") { held = Date.now() + (outcome.after_ms || 2000); setTimeout(flush, outcome.after_ms || 2000); return; }
    drop(`out:${outcome.id}`);
    if (entry) mark(entry, outcome.state === "ack" ? "sent" : "failed");
  };
  let held = 0;
  const flying = new Set();
  const flush = async () => {
    if (!up || Date.now() < held) return;
    const items = waiting().filter((item) => !flying.has(item.id));
    if (!items.length) return;
    if (up === "socket") {
      for (const item of items) { flying.add(item.id); send({ type: "message", message: post(item) }); }
      return;
    }
    if (flying.size) return;
    const batch = items.slice(0, 20);
    batch.forEach((item) => flying.add(item.id));
    const answer = await ask("messages", { messages: batch.map(post) });
    batch.forEach((item) => flying.delete(item.id));
    if (!answer) return;
    answer.outcomes.forEach(settle);
    flush();
  };
  const took = (items, isAway) => {
    const fresh = items.filter((item) => item.ours && item.at > Number(kept("got") || 0));
    for (const item of items) { put(item, true); drop(`out:${item.id}`); }
    arrange();
    if (fresh.length) {
      receipt(fresh, "delivered");
      keep("got", String(Math.max(...fresh.map((item) => item.at))));
      typing.textContent = "";
    }
    setAway(Boolean(isAway));
    if (isOpen()) read(); else unread();
  };
  const unreadItems = () => [...shown.values()].filter((entry) => entry.ours && entry.at > Number(kept("read") || 0));
  const unread = () => {
    const count = unreadItems().length;
    badge.hidden = !count;
    badge.textContent = count > 9 ? "9+" : String(count);
  };
  const read = () => {
    const items = unreadItems();
    if (items.length && document.visibilityState === "visible") {
      receipt(items, "read");
      keep("read", String(Math.max(...items.map((item) => item.at))));
    }
    unread();
  };
  const receipt = (items, status) => {
    const told = { ids: items.slice(-50).map((item) => item.id), status };
    if (up === "socket") send({ type: "seen", ...told }); else if (up) ask("seen", told);
  };
  let hinted = 0;
  const hint = () => {
    if (!up || Date.now() - hinted < 3000) return;
    hinted = Date.now();
    if (up === "socket") send({ type: "typing" }); else ask("typing", {});
  };
  let quiet;
  const typed = () => {
    typing.textContent = say("typing");
    clearTimeout(quiet);
    quiet = setTimeout(() => { typing.textContent = ""; }, 6000);
  };

  // ---- the line: a socket, or asking again and again where there can be none ----
  let token = null, socket = null, up = null, busy = false, tries = 0, failures = 0, after = null, timer = null, ping = null, ended = false;
  const request = async (path, init = {}) => fetch(base + path, {
    ...init, credentials: "omit", cache: "no-store",
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(init.headers || {}) },
  });
  const ask = async (path, body) => {
    try {
      const answer = await request(path, body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {});
      if (answer.status === 401) token = null;
      if (!answer.ok) { down(answer.status); return null; }
      return answer.status === 204 ? {} : await answer.json();
    } catch { down(); return null; }
  };
  const session = async () => {
    const user = option.userId ? { user_id: option.userId, user_hash: option.userHash, name: option.userName } : { key: kept("key") };
    const answer = await request("session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(user) });
    if (answer.status === 401 && !option.userId && kept("key")) { drop("key"); return session(); }
    if (answer.status === 403 || answer.status === 401 || answer.status === 404) ended = true;
    if (!answer.ok) throw new Error(`chat: ${answer.status}`);
    const given = await answer.json();
    token = given.token;
    if (given.key) keep("key", given.key);
    if (given.title && !option.title) title.textContent = given.title;
    away = given.away;
    return given;
  };
  const connect = async () => {
    if (busy || up || ended) return;
    busy = true;
    clearTimeout(timer);
    try {
      if (!token) await session();
      if (failures < 2 && "WebSocket" in window) dial(); else { busy = false; follow(); }
    } catch { busy = false; down(); }
  };
  const dial = () => {
    let opened = false, deaf;
    socket = new WebSocket(`${base.replace(/^http/, "ws")}socket`);
    const own = socket;
    own.onopen = () => own.send(JSON.stringify({ type: "hello", token, after }));
    own.onmessage = (event) => {
      clearTimeout(deaf);
      const frame = JSON.parse(event.data);
      if (frame.type === "messages") {
        if (!opened) {
          opened = true; busy = false; failures = 0; online("socket");
          ping = setInterval(() => { send({ type: "ping" }); deaf = setTimeout(() => own.close(), DEAF_MS); }, PING_MS);
        }
        after = frame.after;
        took(frame.items, frame.away);
        flush();
      } else if (frame.type === "typing") typed();
      else if (frame.id) settle({ ...frame, state: frame.type });
    };
    own.onclose = (event) => {
      clearInterval(ping); clearTimeout(deaf);
      if (socket !== own) return;
      socket = null; busy = false;
      if (event.code === 4401) { token = null; if (opened) tries = 0; }
      else if (!opened) failures++;
      down();
    };
    setTimeout(() => { if (!opened && socket === own) own.close(); }, 10000);
  };
  const send = (frame) => { if (socket && socket.readyState === 1) socket.send(JSON.stringify(frame)); };
  const online = (way) => { up = way; tries = 0; flying.clear(); setAway(away); };
  const down = (status) => {
    const was = up;
    up = null; busy = false; flying.clear();
    if (socket) { const old = socket; socket = null; old.close(); }
    if (ended) { tell("closed", true); return; }
    if (was || tries > 0) tell("offline");
    clearTimeout(timer);
    const wait = status === 429 ? 10000 : Math.min(30000, 500 * 2 ** tries) * (0.7 + 0.6 * Math.random());
    tries++;
    timer = setTimeout(connect, token ? wait : Math.min(wait, 5000));
  };
  let turn = 0;
  const follow = async () => {
    let first = true;
    const own = ++turn;
    const began = Date.now();
    while (first || up === "poll") {
      const found = await ask(`messages?wait=${first ? 0 : 20}${after === null ? "" : `&after=${after}`}`);
      if (!found || own !== turn) return;
      if (first) online("poll");
      first = false;
      after = found.after;
      took(found.items, found.away);
      if (found.typing) typed();
      flush();
      // Perhaps sockets get through by now.
      if (Date.now() - began > 120000) { failures = 0; up = null; connect(); return; }
    }
  };

  // ---- files ----
  const upload = async (file) => {
    if (!up) { tell("offline"); return; }
    if (file.size > LARGEST) { tell("file_large", true); return; }
    tell("uploading");
    try {
      const answer = await request("files", { method: "POST", headers: { "Content-Type": "application/octet-stream", "X-File-Name": encodeURIComponent(file.name) }, body: file });
      if (!answer.ok) { tell(answer.status === 422 ? "file_kind" : "file_failed", true); return; }
      tell("");
      write([await answer.json()]);
    } catch { tell("file_failed", true); }
  };
  const fetchFile = async (message, file) => {
    try {
      const answer = await request(`files/${encodeURIComponent(message)}/${file.index}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const place = URL.createObjectURL(await answer.blob());
      const link = make("a", { href: place, download: file.name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(place), 60000);
    } catch { tell("file_failed", true); }
  };

  window.WeirChat = { open: () => open(), close: () => close() };
  const begin = async () => {
    try { words = await (await fetch(`${base}words/${language}.json${version}`, { credentials: "omit" })).json(); } catch { words = {}; }
    build();
    for (const item of waiting()) mark(put(item), "waiting");
    arrange();
    addEventListener("online", () => { clearTimeout(timer); tries = 0; connect(); });
    document.addEventListener("visibilitychange", () => { if (isOpen()) read(); });
    if (kept("key") || option.userId || waiting().length) connect();
  };
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
})();
