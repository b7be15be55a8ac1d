// What was measured over the period, with the value in force as a dashed line and the proposed one as a line to drag.
import { dayMinute, duration, isNumber, minuteOfDay, number, t } from "weir-core";
import { rounded, shown, stepped } from "./scale.js";

const EDGE = { left: 54, right: 18, top: 16, bottom: 26 };
const HEIGHT = 340;
const LEAST_MS = 1;
const TICKS_MS = [1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 86_400_000, 604_800_000];
const MOST_TICKS = 6;
const DAY_MS = 86_400_000;

export const TuningChart = {
  name: "TuningChart",
  props: { spec: Object, points: Array, since: Number, until: Number, stepMs: Number, now: [Number, String, null], proposed: [Number, String, null], movable: Boolean, busy: Boolean },
  emits: ["move"],
  template: `
    <div ref="frame" class="tun-chart" :class="{ 'is-busy': busy }">
      <svg v-if="drawable" :width="width" :height="HEIGHT" :viewBox="'0 0 ' + width + ' ' + HEIGHT" :aria-label="spoken" role="group" @pointermove="drag" @pointerup="drop" @pointercancel="drop">
        <g v-for="tick in ticks" :key="tick"><line :x1="EDGE.left" :x2="width - EDGE.right" :y1="y(tick)" :y2="y(tick)" class="tun-grid" /><text :x="EDGE.left - 8" :y="y(tick) + 4" class="tun-axis" text-anchor="end">{{ duration(tick) }}</text></g>
        <text v-for="mark in marks" :key="mark" :x="x(mark)" :y="HEIGHT - 8" class="tun-axis" text-anchor="middle">{{ when(mark) }}</text>
        <path v-for="(d, index) in bands" :key="'b' + index" :d="d" class="tun-band" />
        <path v-for="(d, index) in lines" :key="'l' + index" :d="d" class="tun-p95" />
        <circle v-for="dot in dots" :key="dot.at" :cx="dot.x" :cy="dot.y" :r="dot.over ? 3 : 2" :class="dot.over ? 'tun-over' : 'tun-max'"><title>{{ dot.text }}</title></circle>
        <g v-if="nowMs !== null" class="tun-now"><line :x1="EDGE.left" :x2="width - EDGE.right" :y1="y(nowMs)" :y2="y(nowMs)" /></g>
        <g v-if="lineMs !== null" class="tun-line" :class="{ 'is-held': held }">
          <line :x1="EDGE.left" :x2="width - EDGE.right" :y1="y(lineMs)" :y2="y(lineMs)" />
          <g v-if="movable" class="tun-handle" tabindex="0" role="slider" aria-orientation="vertical" :aria-label="t('tuning.line')" :aria-valuemin="spec.low" :aria-valuemax="spec.high" :aria-valuenow="proposed" :aria-valuetext="shown(spec, proposed)" @pointerdown="grab" @keydown="key">
            <rect :x="EDGE.left" :y="y(lineMs) - 11" :width="width - EDGE.left - EDGE.right" height="22" fill="transparent" />
            <rect :x="handleX" :y="y(lineMs) - 12" :width="HANDLE" height="24" rx="12" class="tun-grip" />
            <text :x="handleX + HANDLE / 2" :y="y(lineMs) + 4" text-anchor="middle" class="tun-grip-text">{{ shown(spec, proposed) }}</text>
          </g>
        </g>
      </svg>
      <p v-else class="tun-none">{{ t(busy ? "loading" : "tuning.no_measure") }}</p>
      <ul v-if="drawable" class="tun-key"><li class="is-band"><i></i>{{ t("tuning.key.band") }}</li><li class="is-max"><i></i>{{ t("tuning.key.max") }}</li><li class="is-over"><i></i>{{ t("tuning.key.over") }}</li><li class="is-now"><i></i>{{ t("tuning.key.now", { value: shown(spec, now) }) }}</li></ul>
    </div>`,
  data: () => ({ width: 640, held: false, EDGE, HEIGHT, HANDLE: 92 }),
  computed: {
    drawable() {
      return this.points.length > 0;
    },
    // Where nothing was heard yet, there is nothing to draw: a young system fills the chart with what it has.
    start() {
      return Math.max(this.since, this.points[0].at - this.stepMs);
    },
    nowMs() {
      return isNumber(this.now) ? Math.max(LEAST_MS, this.now * 1000) : null;
    },
    lineMs() {
      return isNumber(this.proposed) ? Math.max(LEAST_MS, this.proposed * 1000) : null;
    },
    handleX() {
      return this.width - this.EDGE.right - this.HANDLE;
    },
    // Fixed while the line is held: the axis must not run away under the pointer.
    limits() {
      if (this.held && this.frozen) return this.frozen;
      const values = this.points.flatMap((one) => [one.p50, one.p95, one.max]).filter((value) => isNumber(value) && value > 0);
      for (const line of [this.nowMs, this.lineMs]) if (line !== null) values.push(line);
      const low = Math.max(LEAST_MS, Math.min(...values) / 2);
      return { low, high: Math.max(low * 10, Math.max(...values) * 2) };
    },
    ticks() {
      const inside = TICKS_MS.filter((tick) => tick >= this.limits.low && tick <= this.limits.high);
      const every = Math.ceil(inside.length / MOST_TICKS);
      return inside.filter((_, index) => index % every === 0);
    },
    marks() {
      const count = Math.max(2, Math.min(7, Math.floor(this.width / 110)));
      return Array.from({ length: count }, (_, index) => this.start + ((index + 0.5) / count) * (this.until - this.start));
    },
    runs() {
      const runs = [[]];
      let last = null;
      for (const one of this.points) {
        if (last !== null && one.at - last > this.stepMs * 1.5) runs.push([]);
        if (isNumber(one.p95)) runs[runs.length - 1].push(one);
        last = one.at;
      }
      return runs.filter((run) => run.length);
    },
    bands() {
      return this.runs.filter((run) => run.length > 1).map((run) => {
        const top = run.map((one) => `${this.x(one.at)},${this.y(one.p95)}`);
        const bottom = run.map((one) => `${this.x(one.at)},${this.y(one.p50)}`).reverse();
        return `M${[...top, ...bottom].join("L")}Z`;
      });
    },
    lines() {
      return this.runs.map((run) => `M${(run.length > 1 ? run : [run[0], run[0]]).map((one) => `${this.x(one.at)},${this.y(one.p95)}`).join("L")}`);
    },
    dots() {
      return this.points.filter((one) => isNumber(one.max) && one.max > 0).map((one) => ({
        at: one.at, x: this.x(one.at), y: this.y(one.max), over: this.lineMs !== null && one.max > this.lineMs,
        text: t("tuning.dot", { at: dayMinute(one.at), p50: duration(one.p50), p95: duration(one.p95), max: duration(one.max), n: number(one.count) }),
      }));
    },
    spoken() {
      const over = this.dots.filter((dot) => dot.over).length;
      return t("tuning.spoken", { over: number(over), n: number(this.dots.length), value: shown(this.spec, this.proposed) });
    },
  },
  mounted() {
    this.size = new ResizeObserver(([entry]) => (this.width = Math.max(280, Math.floor(entry.contentRect.width))));
    this.size.observe(this.$refs.frame);
  },
  unmounted() {
    this.size.disconnect();
  },
  methods: {
    t, shown, duration,
    when(at) {
      return this.until - this.start > DAY_MS ? dayMinute(at) : minuteOfDay(at);
    },
    x(at) {
      const part = (at - this.start) / Math.max(1, this.until - this.start);
      return Math.round((EDGE.left + part * (this.width - EDGE.left - EDGE.right)) * 10) / 10;
    },
    y(ms) {
      const { low, high } = this.limits;
      const part = Math.log(Math.max(low, Math.min(high, ms || low)) / low) / Math.log(high / low);
      return Math.round((HEIGHT - EDGE.bottom - part * (HEIGHT - EDGE.top - EDGE.bottom)) * 10) / 10;
    },
    grab(event) {
      this.frozen = this.limits;
      this.held = true;
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    drag(event) {
      if (!this.held) return;
      const { low, high } = this.limits;
      const top = this.$refs.frame.getBoundingClientRect().top;
      const part = (HEIGHT - EDGE.bottom - (event.clientY - top)) / (HEIGHT - EDGE.top - EDGE.bottom);
      const ms = low * (high / low) ** Math.min(1, Math.max(0, part));
      this.$emit("move", rounded(this.spec, ms / 1000));
    },
    drop() {
      this.held = false;
    },
    key(event) {
      const direction = { ArrowUp: 1, ArrowRight: 1, PageUp: 1, ArrowDown: -1, ArrowLeft: -1, PageDown: -1 }[event.key];
      if (!direction) return;
      event.preventDefault();
      this.$emit("move", stepped(this.spec, this.proposed, direction, event.key.startsWith("Page")));
    },
  },
};
