// A customer beside a conversation and on the page of customers: who it is, orders, history, health, who may be the same.
export { Spot, clockOf, money, nameOf } from "./words.js";
export { Identities, PersonFacts } from "./person.js";
export { TagBox, NoteBox } from "./said.js";
export { ContactDeeds } from "./deeds.js";
export { Suggestions } from "./suggestions.js";
export { OrderCard, Parcels } from "./orders.js";
export { Spans } from "./history.js";
export { HealthTab } from "./health.js";
