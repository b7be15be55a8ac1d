// The service worker: shows notifications, opens the conversation when one is clicked, and has a page for when there is no network.
// It keeps that page and nothing else: never what customers wrote, never an answer of the API.
const KEPT = "weir-offline-1";
const OFFLINE = "/offline";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.add(new Request(OFFLINE, { cache: "reload" }))).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const others = caches.keys().then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))));
  event.waitUntil(others.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  event.respondWith(fetch(event.request).catch(() => caches.match(OFFLINE)));
});

// A window that is open comes to the front and goes there; else one is opened.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { key = "", message = "", id = "" } = event.notification.data || {};
  const query = new URLSearchParams(Object.entries({ tab: "all", key, message }).filter(([, value]) => value));
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then(async (windows) => {
      const here = windows.find((one) => new URL(one.url).pathname === "/inbox") || null;
      if (!here) return self.clients.openWindow(`/inbox?${query}`);
      await here.focus();
      here.postMessage({ weir: "opened", key, message, id });
    }),
  );
});
