// The parts of the threshold studio.
export * from "./scale.js";
export * from "./questions.js";
export { TuningTree } from "./tree.js";
export { TuningChart } from "./chart.js";
export { TuningEffect } from "./effect.js";
export { TuningVersions } from "./versions.js";
