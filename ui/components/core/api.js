// Talking to /api/v1. An ended session leads to the login page; every other problem carries the sentence the API gave.
import { t } from "./texts.js";

export class ApiError extends Error {
  // `found`: the body of the answer, where there is one.
  constructor(status, message, found = null) {
    super(message);
    this.status = status;
    this.found = found;
  }
}

const BASE = "/api/v1";

async function call(method, path, body, signal, more = {}) {
  const headers = { Accept: "application/json", "X-Requested-With": "weir", ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(BASE + path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, t("error.offline"));
  }
  if (response.status === 401) {
    location.href = `/login?error=expired&next=${encodeURIComponent(location.pathname + location.search)}`;
    throw new ApiError(401, t("login.error.expired"));
  }
  const found = await response.json().catch((error) => {
    // Given up in the middle of the body is no empty answer.
    if (error.name === "AbortError") throw error;
    return null;
  });
  if (!response.ok) throw new ApiError(response.status, (found && (found.detail || found.title)) || t("error.status", { status: response.status }), found);
  return found;
}

export const send = call;
export const ask = (path, signal) => call("GET", path, undefined, signal);
export const tell = (path, body = {}, signal = undefined) => call("POST", path, body, signal);

// A short message at the edge; `tone` is "ok" or "error".
export function toast(text, tone = "ok") {
  window.dispatchEvent(new CustomEvent("weir-toast", { detail: { text, tone } }));
}
