// What the settings pages share.
export { SettingsHead } from "./head.js";
export { ChannelCard, bindingPath } from "./channel_card.js";
export { CoverageNotes } from "./coverage.js";
export { OnceShown } from "./secret.js";
export { AreYouSure } from "./sure.js";
export { literal, sides } from "./literal.js";
export const ROLES = ["admin", "supervisor", "agent", "finance", "after_sales", "product", "operations", "viewer"];
