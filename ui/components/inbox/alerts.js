// Rings: a sound, a notification of the system, a word on the page; and tells the server whether it did. One window of a person
// rings for all of them. What did not ring is said with its reason, never passed over.
import * as Vue from "vue";
import { goInbox, inboxAddress, inboxLive, inboxPlace, t, tell, tn } from "weir-core";

const TOGETHER_MS = 400;
const MOST_SINGLY = 3;
const REMEMBERED = 500;
const LEADER = "weir-inbox-ring";

// `allowed`: granted, denied, default or unsupported. `audible`: whether the browser lets a sound out. `spoken`: for screen readers.
export const alerts = Vue.shallowReactive({ allowed: permission(), audible: false, spoken: "", leader: false });
const seen = new Set();
let waiting = [];
let timer = 0;
let sound = null;

export function permission() {
  return "Notification" in window ? Notification.permission : "unsupported";
}

// To be called by a button: browsers ask only after a gesture. Resolves to the answer.
export async function askPermission() {
  wake();
  if (permission() === "default") await Notification.requestPermission();
  alerts.allowed = permission();
  return alerts.allowed;
}

// A browser lets no sound out before somebody has touched the page.
function wake() {
  try {
    sound = sound || new AudioContext();
  } catch {
    return;
  }
  if (sound.state === "suspended") sound.resume();
  alerts.audible = sound.state === "running";
  sound.onstatechange = () => (alerts.audible = sound.state === "running");
}

function beep(urgent) {
  if (!sound || sound.state !== "running") return false;
  const start = sound.currentTime;
  for (const [index, pitch] of (urgent ? [880, 660, 880] : [660, 880]).entries()) {
    const tone = sound.createOscillator(), volume = sound.createGain(), from = start + index * 0.16;
    tone.frequency.value = pitch;
    tone.type = "sine";
    volume.gain.setValueAtTime(0.0001, from);
    volume.gain.exponentialRampToValueAtTime(0.18, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.14);
    tone.connect(volume).connect(sound.destination);
    tone.start(from);
    tone.stop(from + 0.15);
  }
  return true;
}

// Resolves when the system shows it; rejects with the reason when it does not.
async function show(title, options) {
  if (permission() !== "granted") throw new Error(permission() === "unsupported" ? "unsupported" : permission() === "denied" ? "permission_denied" : "permission_not_asked");
  const worker = navigator.serviceWorker && (await navigator.serviceWorker.getRegistration("/"));
  if (worker && worker.active) return worker.showNotification(title, options);
  return new Promise((resolve, reject) => {
    const note = new Notification(title, options);
    note.onshow = () => resolve();
    note.onerror = () => reject(new Error("display_failed"));
    note.onclick = () => {
      note.close();
      window.focus();
      opened(options.data);
    };
  });
}

function opened({ key, message, id }) {
  if (key) goInbox(inboxAddress({ ...inboxPlace, key, message: message || "", pane: "thread" }));
  if (id) receipt(id, "seen");
}

function receipt(id, status, reason) {
  return tell(`/alerts/${encodeURIComponent(id)}/receipt`, reason ? { status, reason } : { status }).catch(() => null);
}

const reads = (key) => inboxPlace.key === key && document.visibilityState === "visible" && document.hasFocus();

// Rings for these, all told of one by one, shown as one when they are many. Resolves to the ways that rang.
export async function ring(batch) {
  const urgent = batch.some((one) => one.urgency === "urgent");
  const ways = [];
  let reason = "muted_by_user";
  if (batch.some((one) => one.desktop)) {
    const first = batch[0];
    const many = batch.length > MOST_SINGLY;
    const list = many ? [{ title: tn("inbox.alert.many", batch.length), text: tn("inbox.alert.urgent", batch.filter((one) => one.urgency === "urgent").length), id: "weir-many", key: "" }] : batch;
    try {
      for (const one of list) {
        const text = one.why === "test" ? t("inbox.alert.test") : one.text;
        await show(one.title || first.title, { body: text, tag: one.key || one.id, icon: "/static/icons/icon-192.png", badge: "/static/icons/icon-192.png", requireInteraction: urgent, data: { key: one.key, message: one.message, id: many ? "" : one.id } });
      }
      ways.push("desktop");
    } catch (wrong) {
      reason = wrong.message;
    }
  }
  if (batch.some((one) => one.sound) && beep(urgent)) ways.push("sound");
  if (urgent) alerts.spoken = batch.length === 1 ? t("inbox.alert.spoken", { name: batch[0].title }) : tn("inbox.alert.many", batch.length);
  for (const one of batch) await (ways.length ? receipt(one.id, "fired") : receipt(one.id, "failed", reason));
  return { ways, reason: ways.length ? "" : reason };
}

function heard(alert) {
  if (!alerts.leader || seen.has(alert.id)) return;
  seen.add(alert.id);
  if (seen.size > REMEMBERED) seen.delete(seen.values().next().value);
  if (reads(alert.key)) {
    receipt(alert.id, "seen");
    return;
  }
  waiting.push(alert);
  clearTimeout(timer);
  timer = setTimeout(() => {
    const batch = waiting;
    waiting = [];
    ring(batch);
  }, TOGETHER_MS);
}

// Starts with the page; returns what stops it.
export function startAlerts() {
  const off = inboxLive.onAlert(heard);
  let letGo = () => null;
  const held = new Promise((resolve) => (letGo = resolve));
  // Without locks every window rings: rather twice than never.
  if (navigator.locks) navigator.locks.request(LEADER, () => ((alerts.leader = true), held));
  else alerts.leader = true;
  const clicked = ({ data }) => data && data.weir === "opened" && opened(data);
  if (navigator.serviceWorker) {
    navigator.serviceWorker.addEventListener("message", clicked);
    navigator.serviceWorker.register("/sw.js").catch(() => null);
  }
  const touched = () => wake();
  for (const name of ["pointerdown", "keydown"]) window.addEventListener(name, touched, { once: true, capture: true });
  return () => {
    off();
    letGo();
    alerts.leader = false;
    if (navigator.serviceWorker) navigator.serviceWorker.removeEventListener("message", clicked);
  };
}
