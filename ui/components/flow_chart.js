// Throughput and end-to-end delay over absolute time. Points come in steps of fixed length, so closed ones never move.
import { DASH, compact, duration, isNumber, live, minuteOfDay, number, t, timeOfDay } from "weir-core";

const REDRAW_MS = 950;
const [AT, IN, OUT, P50, P99, ANOMALIES] = [0, 1, 2, 3, 4, 5];

export default {
  template: `
    <section class="w-card flow" :class="{ 'is-dead': live.snap && !live.sound }" :aria-label="t('flow.title')">
      <div class="w-card-head"><h2 class="w-h2">{{ t("flow.title") }}</h2>
        <ul class="flow-key"><li v-for="name in ['in', 'out', 'p99', 'p50', 'anomalies']" :key="name" :class="'is-' + name"><i></i>{{ t("flow." + name) }}</li></ul></div>
      <div ref="canvas" class="flow-canvas" role="img" :aria-label="spoken"></div>
    </section>`,
  data: () => ({ live }),
  computed: {
    last() {
      const points = live.snap ? live.snap.series.points : [];
      return points[points.length - 1] || null;
    },
    spoken() {
      const point = this.last;
      if (!point) return t("flow.title");
      return t("flow.spoken", { at: timeOfDay(point[AT]), into: compact(point[IN]), out: compact(point[OUT]), p50: duration(point[P50]), p99: duration(point[P99]) });
    },
  },
  watch: {
    "live.snap": "follow",
    "live.mode": "draw",
  },
  async mounted() {
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { echarts } = await import("nicegui-echart");
    if (!this.$refs.canvas) return;
    this.chart = echarts.init(this.$refs.canvas);
    this.theme = new MutationObserver(() => this.paint());
    this.theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.size = new ResizeObserver(() => this.chart.resize({ silent: true }));
    this.size.observe(this.$refs.canvas);
    this.paint();
  },
  unmounted() {
    if (!this.chart) return;
    this.theme.disconnect();
    this.size.disconnect();
    this.chart.dispose();
  },
  methods: {
    t,
    // All that depends on the theme; drawn once, and again when the theme changes.
    paint() {
      const style = getComputedStyle(document.documentElement);
      const color = (name) => style.getPropertyValue(`--${name}`).trim();
      const text = { color: color("text-3"), fontFamily: style.getPropertyValue("--font"), fontSize: 11 };
      const line = (id, tone, more) => ({ id, type: "line", showSymbol: false, connectNulls: false, lineStyle: { width: 1.75, color: tone }, itemStyle: { color: tone }, emphasis: { disabled: true }, data: [], ...more });
      const accent = color("accent");
      const fill = { type: "linear", x: 0, y: 0, x2: 0, y2: 1, colorStops: [{ offset: 0, color: accent + "2b" }, { offset: 1, color: accent + "05" }] };
      this.chart.setOption({
        animation: !this.calm, animationDuration: 0, animationDurationUpdate: 480, animationEasingUpdate: "linear",
        grid: { left: 44, right: 52, top: 12, bottom: 24 },
        tooltip: { trigger: "axis", confine: true, backgroundColor: color("surface"), borderColor: color("line-strong"), textStyle: { ...text, color: color("text"), fontSize: 12 }, formatter: (rows) => this.tip(rows), axisPointer: { lineStyle: { color: color("line-strong") } } },
        xAxis: { type: "time", axisLine: { lineStyle: { color: color("line-strong") } }, axisTick: { show: false }, splitLine: { show: false }, axisLabel: { ...text, formatter: minuteOfDay, hideOverlap: true } },
        yAxis: [
          { type: "value", min: 0, splitNumber: 3, axisLabel: { ...text, formatter: compact }, splitLine: { lineStyle: { color: color("line") } } },
          { type: "value", min: 0, splitNumber: 3, axisLabel: { ...text, formatter: duration }, splitLine: { show: false } },
          { type: "value", min: 0, max: (range) => Math.max(8, range.max * 4), show: false },
        ],
        series: [
          line("in", accent, { areaStyle: { color: fill } }),
          line("out", accent, { lineStyle: { width: 1.25, color: accent, opacity: 0.5 } }),
          line("p99", color("amber"), { yAxisIndex: 1 }),
          line("p50", color("grey"), { yAxisIndex: 1, lineStyle: { width: 1.25, type: [4, 3], color: color("grey") } }),
          { id: "anomalies", type: "bar", yAxisIndex: 2, barMaxWidth: 4, itemStyle: { color: color("red"), opacity: 0.55 }, data: [], emphasis: { disabled: true } },
        ],
      });
      this.draw();
    },
    // Twice a second would keep the animation, and the processor, busy without pause.
    follow() {
      if (Date.now() - (this.drawnAt || 0) >= REDRAW_MS) this.draw();
    },
    draw() {
      this.drawnAt = Date.now();
      const series = live.snap && live.snap.series;
      if (!this.chart || !series || document.hidden) return;
      const points = series.points;
      const column = (index) => points.map((point) => [point[AT], point[index]]);
      const ends = points.length ? { min: points[0][AT], max: points[points.length - 1][AT] } : {};
      this.chart.setOption({
        xAxis: ends,
        series: [[ "in", IN ], [ "out", OUT ], [ "p99", P99 ], [ "p50", P50 ], [ "anomalies", ANOMALIES ]].map(([id, index]) => ({
          id, data: id === "anomalies" ? column(index).filter(([, count]) => count) : column(index),
        })),
      });
    },
    // Only figures and our own texts go in: the tip is drawn as HTML.
    tip(rows) {
      const at = rows.length ? rows[0].value[0] : 0;
      const point = live.snap.series.points.find((one) => one[AT] === at);
      if (!point) return "";
      const value = (found, form) => (isNumber(found) ? form(found) : DASH);
      const lines = [["in", value(point[IN], compact)], ["out", value(point[OUT], compact)], ["p99", duration(point[P99])], ["p50", duration(point[P50])], ["anomalies", number(point[ANOMALIES])]];
      const cells = lines.map(([name, figure]) => `<tr><td>${t("flow." + name)}</td><td class="r">${figure}</td></tr>`);
      return `<table class="flow-tip"><tr><th colspan="2">${timeOfDay(at)}</th></tr>${cells.join("")}</table>`;
    },
  },
};
