// Addresses of the product, and moving between them without loading a page.
const query = (values) => {
  const filled = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(filled).toString();
  return text ? `?${text}` : "";
};
export const place = (path, values = {}) => path + query(values);
export const toChannel = (key) => place("/channels", { key });
export const toAnomalies = (filter) => place("/anomalies", filter);
export const toConversations = (filter) => place("/conversations", filter);
export const toConversation = (key) => place("/conversation", { key });
export const toTrace = (key, message) => place("/trace", { key, message });
export const toThresholds = (kind, scope) => place("/thresholds", { kind, scope });

// A conversation's key: its parts with `/` and `%` percent-encoded, as the API names it.
const part = (text) => String(text).replaceAll("%", "%25").replaceAll("/", "%2F");
export const channelKey = (platform, account) => `${part(platform)}/${part(account)}`;
export const conversationKey = (platform, account, conversation) => `${channelKey(platform, account)}/${part(conversation)}`;

export function go(path) {
  window.emitEvent("sub_pages_navigate", path);
}

// Keeps the address line in step with a filter without a page change, so that it can be shared and reloaded.
export function keepInAddress(values) {
  const path = place(location.pathname, values);
  if (path !== location.pathname + location.search) history.replaceState({ page: path }, "", path);
}
export function splitKey(key) {
  try {
    return String(key).split("/").map(decodeURIComponent);
  } catch {
    return String(key).split("/");
  }
}

// Addresses of the API; a key goes as one segment.
export const messagesPath = (key) => `/conversations/${encodeURIComponent(key)}/messages`;
export const tracePath = (key, message) => `/messages/${encodeURIComponent(key)}/${encodeURIComponent(message)}/trace`;
