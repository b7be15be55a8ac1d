// What every component shares. Nothing here knows a page.
export { ICONS } from "./icons.js";
export { t, tn, lang } from "./texts.js";
export * from "./format.js";
export * from "./places.js";
export { ask, send, tell, toast, ApiError } from "./api.js";
export { live, useLive, address, can, choose, pause, rangeStart, resync } from "./live.js";
export { TROUBLES, changed, endWords, lift, muteTrouble, mutePlace, openMute } from "./mutes.js";
export { fieldOf, wentBy } from "./going.js";
export { evidenceLine, evidenceRows, troubleName } from "./evidence.js";
export { BUILT_IN_LABELS, WLabel, activeLabels, keepLabels, labelBook, labelName, loadLabels } from "./labels.js";
export { isArriving, WFiles } from "./files.js";
export { WTypedActions } from "./typed_actions.js";
export { foldedParts, linkParts, safeHref, WLinked } from "./links.js";
export { markedParts, WMarked } from "./marked.js";
export { CONDITIONS, conditionOf, WIcon, WState, WSpark, WAgo, WSort } from "./parts.js";
export { inboxLive, useInboxLive } from "./inbox_live.js";
export { INBOX, INBOX_FILTERS, INBOX_SORTS, INBOX_TABS, chooseList, closeConversation, goInbox, inboxAddress, inboxPlace, isNarrow, openConversation, showPane, startPlace, tellKey } from "./inbox_place.js";
