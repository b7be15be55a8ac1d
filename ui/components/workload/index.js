// What the page of workload and SLA is made of.
export { useWorkload, workload } from "./store.js";
export { COLUMNS, PERIODS, TERMS, listOf, parts, share } from "./figures.js";
export { WlCells, WlHead } from "./cells.js";
