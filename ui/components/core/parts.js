// Small parts that components put together.
import * as Vue from "vue";
import { age } from "./format.js";
import { ICONS } from "./icons.js";
import { live } from "./live.js";
import { t } from "./texts.js";

export const WIcon = {
  props: { name: String },
  setup: (props) => () =>
    Vue.h("svg", { class: "w-icon", viewBox: "0 0 24 24", "aria-hidden": "true", innerHTML: ICONS[props.name] || "" }),
};

// A channel in trouble is named by what troubles it: a loss is no slowness, and wants another cure.
const REASONS = { loss: "loss", loss_outbound: "unsent", delay: "slow", notification_missed: "not_notified" };
export const conditionOf = (row) => (row.state === "slow" && REASONS[row.reason]) || row.state;

// The condition of a channel: shape, word and colour, so that none of them must be seen alone. The worst first.
const SHAPES = {
  down: '<rect x="1.4" y="1.4" width="9.2" height="9.2" rx="1.4" fill="currentColor"/>',
  loss: '<rect x="2.6" y="2.6" width="6.8" height="6.8" rx="1" fill="none" stroke="currentColor" stroke-width="2.8"/>',
  unsent: '<path d="M6 .5 11.5 6 6 11.5.5 6z" fill="currentColor"/>',
  slow: '<circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M6 1.4a4.6 4.6 0 0 1 0 9.2z" fill="currentColor"/>',
  not_notified: '<path d="M6 1.2 11.3 10.8H.7z" fill="currentColor"/>',
  no_data: '<circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.2 1.7"/>',
  recovering: '<circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M6 6V1.4A4.6 4.6 0 0 1 10.6 6z" fill="currentColor"/>',
  silenced: '<path d="M1.5 6.2 6.2 1.5M1.6 10.4 10.4 1.6M5.8 10.5l4.7-4.7" stroke="currentColor" stroke-width="1.7" stroke-linecap="round"/>',
  ok: '<circle cx="6" cy="6" r="4.6" fill="currentColor"/>',
};
export const CONDITIONS = Object.keys(SHAPES);
export const WState = {
  props: { state: String, bare: Boolean },
  setup: (props) => () => {
    const known = props.state in SHAPES ? props.state : "no_data";
    const glyph = Vue.h("svg", { class: "w-glyph", viewBox: "0 0 12 12", "aria-hidden": "true", innerHTML: SHAPES[known] });
    const word = Vue.h("span", { class: props.bare ? "w-sr" : "" }, t(`state.${known}`));
    return Vue.h("span", { class: `w-state is-${known}` }, [glyph, word]);
  },
};

// A small line over time without axes; a hint, never the only way to read a figure.
export const WSpark = {
  props: { values: Array, tone: String },
  setup: (props) => () => {
    const values = (props.values || []).filter((value) => value !== null);
    if (values.length < 2) return Vue.h("svg", { class: "w-spark", viewBox: "0 0 100 26", "aria-hidden": "true" });
    const top = Math.max(...values);
    const low = Math.min(...values);
    const span = top - low || 1;
    const flat = top === low;
    const point = (value, index) => `${((index / (values.length - 1)) * 100).toFixed(2)},${(flat ? 22 : 23 - ((value - low) / span) * 20).toFixed(2)}`;
    const line = values.map(point).join(" ");
    return Vue.h("svg", { class: `w-spark is-${props.tone || "accent"}`, viewBox: "0 0 100 26", preserveAspectRatio: "none", "aria-hidden": "true" }, [
      Vue.h("polygon", { points: `0,26 ${line} 100,26` }),
      Vue.h("polyline", { points: line, "vector-effect": "non-scaling-stroke" }),
    ]);
  },
};

// How long ago, ticking by the server's clock.
export const WAgo = {
  props: { at: Number },
  setup: (props) => () => Vue.h("span", { class: "w-num" }, props.at ? age(live.now - props.at) : "–"),
};

// A table's heading that sorts.
export const WSort = {
  props: { by: String, order: Object, numeric: Boolean },
  emits: ["sort"],
  setup: (props, { slots, emit }) => () => {
    const mine = props.order.by === props.by;
    return Vue.h("th", { scope: "col", class: props.numeric ? "r" : "", "aria-sort": mine ? (props.order.down ? "descending" : "ascending") : undefined }, [
      Vue.h("button", { type: "button", class: `w-sort${mine ? " is-on" : ""}`, onClick: () => emit("sort", props.by) }, [
        slots.default(),
        mine ? Vue.h("span", { "aria-hidden": "true" }, props.order.down ? " ↓" : " ↑") : null,
      ]),
    ]);
  },
};
