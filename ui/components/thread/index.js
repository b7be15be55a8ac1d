// What the thread and the composer share.
export { threadPath, useThread } from "./store.js";
export { discard, newKey, repeat, resume, submit } from "./sending.js";
export { differing } from "./differing.js";
export { ThreadBubble } from "./bubble.js";
export { ThreadCopies, ThreadElsewhere, ThreadEvent, ThreadGoing, ThreadNote, dayName, dayOf, isLine } from "./lines.js";
export { openDraft } from "./draft.js";
export { ComposerRules, ruleWords } from "./rules.js";
export { HOLE, TemplatePicker } from "./templates.js";
export { ComposerFiles, upload } from "./uploads.js";
export { TemplateEditor } from "./editor.js";
