// The figures of one line of a table, the same for a team, a person and a platform; and their headings.
import { DASH, age, duration, number, t } from "weir-core";
import { COLUMNS, listOf, parts, share } from "./figures.js";

const AFTER = ["in_time", "late", "unanswered", "share", "first", "later"];

export const WlHead = {
  props: { first: String, period: String },
  template: `
    <thead>
      <tr class="wl-bands"><td></td><th scope="colgroup" colspan="5">{{ t("workload.band.now") }}</th><th scope="colgroup" colspan="6" class="wl-edge">{{ t("workload.band." + period) }}</th></tr>
      <tr><th scope="col">{{ first }}</th><th v-for="name in names" :key="name" scope="col" class="r" :class="{ 'wl-edge': name === 'in_time' }" :title="t('workload.term.' + name)">{{ t("workload.column." + name) }}</th></tr>
    </thead>`,
  data: () => ({ names: [...COLUMNS.map(({ name }) => name), "due", ...AFTER] }),
  methods: { t },
};

export const WlCells = {
  props: { figures: Object, where: Object, period: String, now: Number, whose: String },
  template: `
    <td v-for="column in COLUMNS" :key="column.name" class="r" :data-label="t('workload.column.' + column.name)"><a v-if="open[column.name]" class="figure" :class="'is-' + column.tone" :href="listOf(where, column.filter)" :aria-label="whose + ', ' + t('workload.column.' + column.name) + ': ' + number(open[column.name])">{{ number(open[column.name]) }}</a><span v-else class="zero">0</span></td>
    <td class="r wl-due" :data-label="t('workload.column.due')"><a v-if="open.due_at" class="figure" :class="open.due_at <= now ? 'is-red' : 'is-plain'" :href="listOf(where, { waiting: 'true' })" :aria-label="whose + ', ' + t('workload.column.due') + ': ' + due">{{ due }}</a><span v-else class="zero">{{ DASH }}</span></td>
    <td v-for="name in ['in_time', 'late', 'unanswered']" :key="name" class="r" :class="{ 'wl-edge': name === 'in_time' }" :data-label="t('workload.column.' + name)"><span class="w-num" :class="tone(name)">{{ number(past[name]) }}</span></td>
    <td class="r wl-share" :data-label="t('workload.column.share')"><span class="w-num" :class="{ zero: !all.sum }">{{ all.sum ? share(past) : DASH }}</span><span class="wl-bar" aria-hidden="true"><i v-for="name in ['in_time', 'late', 'unanswered']" :key="name" :class="'is-' + name" :style="{ width: all.width(past[name]) }"></i></span></td>
    <td v-for="[name, span] in [['first', past.first_ms], ['later', past.next_ms]]" :key="name" class="r" :data-label="t('workload.column.' + name)"><span class="w-num" :class="{ zero: span === null }">{{ duration(span) }}</span></td>`,
  data: () => ({ COLUMNS, DASH }),
  computed: {
    open() {
      return this.figures.now;
    },
    past() {
      return this.figures[this.period];
    },
    all() {
      return parts(this.past);
    },
    due() {
      const left = this.open.due_at - this.now;
      return t(left <= 0 ? "inbox.overdue" : "inbox.left", { time: age(Math.abs(left)) });
    },
  },
  methods: {
    t, duration, listOf, number, share,
    tone(name) {
      if (!this.past[name]) return "zero";
      return { late: "is-amber", unanswered: "is-red" }[name] || "";
    },
  },
};
