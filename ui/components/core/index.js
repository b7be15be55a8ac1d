// What every component shares. Nothing here knows a page.
export { ICONS } from "./icons.js";
export { t, tn, lang } from "./texts.js";
export * from "./format.js";
export * from "./places.js";
export { ask, tell, toast, ApiError } from "./api.js";
export { live, useLive, can, choose, pause, resync } from "./live.js";
export { WIcon, WState, WSpark, WAgo, WSort } from "./parts.js";
