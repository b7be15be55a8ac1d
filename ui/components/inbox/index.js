// What the inbox's frame, list and head share.
export { KEYS, keyOf, wordsOfKey } from "./keys.js";
export { Rows, PAGE } from "./rows.js";
export { menu, openMenu, InboxMenu } from "./menu.js";
export { InboxHelp } from "./help.js";
export { desk, startDesk, rowChanged, isOld, people, targets, act, undone, selection, select, clearSelection } from "./deeds.js";
export { alerts, startAlerts, askPermission, ring, permission } from "./alerts.js";
export { DueChip, Face, PlatformMark, Glyphs, edgeOf, languageName } from "./marks.js";
export { FILTER_FIELDS, chooseFilter, filterWords } from "./filters.js";
