// Where the trouble sits: platforms by kinds, or kinds by the hours of a day; seven steps of colour and the number in every cell.
import { WIcon, address, ask, can, dayMinute, keepInAddress, live, minuteOfDay, number, openMute, platformName, rangeStart, t, toAnomalies } from "weir-core";

const STEPS = 6;
const HOUR_MS = 3_600_000;
const REFRESH_MS = 10_000;
const VIEWS = ["platforms", "hours"];

export default {
  components: { WIcon },
  template: `
    <section class="w-card heat" :class="{ 'is-dead': live.snap && !live.sound }" :aria-label="t('heat.title')">
      <div class="w-card-head"><h2 class="w-h2">{{ t("heat.title") }}</h2><span class="w-meta">{{ byHour ? t("heat.day") : t("heat.span", { range: t("range." + live.range) }) }}</span>
        <div class="w-seg" role="group" :aria-label="t('heat.view')"><button v-for="view in VIEWS" :key="view" type="button" :aria-pressed="byHour === (view === 'hours')" @click="show(view)">{{ t("heat.by." + view) }}</button></div>
        <span class="heat-key" aria-hidden="true"><span class="w-meta">0</span><i v-for="step in 6" :key="step" :class="'h-' + step"></i><span class="w-meta w-num">{{ number(most) }}</span></span></div>
      <div ref="scroll" class="w-card-body w-scroll-x heat-body" :class="{ 'is-hours': byHour }" tabindex="0" role="group" :aria-label="t('heat.title')">
        <table v-if="rows.length" class="heat-table" :class="{ 'is-hours': byHour }">
          <thead><tr><td></td><th v-for="column in columns" :key="column.id" scope="col" :title="column.title">{{ column.name }}</th><th scope="col" class="r">{{ t("heat.sum") }}</th></tr></thead>
          <tbody><tr v-for="row in rows" :key="row.id"><th scope="row">{{ row.name }}</th>
            <td v-for="(count, index) in row.cells" :key="columns[index].id" class="heat-td"><a v-if="count" class="heat-cell" :class="'h-' + step(count)" :href="behind(row, columns[index])" :aria-label="label(row, columns[index], count)">{{ number(count) }}</a><span v-else class="heat-cell h-0"><span class="w-sr">0</span></span>
              <button v-if="count && may" class="heat-mute" type="button" :title="t('mute.act')" :aria-label="t('mute.act_on', { name: row.name + ', ' + columns[index].title })" @click="openMute(subject(row, columns[index]))"><w-icon name="bell-off" /></button></td>
            <td class="r w-num heat-sum">{{ number(row.sum) }}</td></tr></tbody>
        </table>
        <div v-else class="w-empty"><w-icon :name="error ? 'circle-alert' : 'circle-check'" />{{ error || t(ready ? "heat.none" : "loading") }}</div>
      </div>
    </section>`,
  data: () => ({ live, VIEWS, hours: null, error: "", may: can("mute") }),
  computed: {
    byHour: () => live.heat === "hours",
    ready() {
      return this.byHour ? this.hours : live.snap;
    },
    columns() {
      if (!this.ready) return [];
      if (this.byHour) return this.hours.hours.map((at) => ({ id: at, name: minuteOfDay(at), title: dayMinute(at) }));
      return live.snap.heat.kinds.map((kind) => ({ id: kind, name: t("kind.short." + kind), title: t("kind." + kind) }));
    },
    rows() {
      if (!this.ready) return [];
      const { cells, names } = this.byHour ? { cells: this.hours.cells, names: this.hours.kinds } : { cells: live.snap.heat.cells, names: live.snap.heat.platforms };
      const rows = names.map((id, index) => ({ id, name: this.byHour ? t("kind." + id) : platformName(id), cells: cells[index], sum: cells[index].reduce((sum, count) => sum + count, 0) }));
      // Kinds keep their places, so that an hour later the eye finds them where they were.
      return this.byHour ? rows : rows.sort((a, b) => b.sum - a.sum || a.id.localeCompare(b.id));
    },
    most() {
      return Math.max(0, ...this.rows.flatMap((row) => row.cells));
    },
    subjectOfScreen: () => [live.heat, live.platform, live.account].join("\n"),
  },
  watch: {
    subjectOfScreen: "look",
  },
  mounted() {
    this.timer = setInterval(() => document.hidden || live.paused || this.load(), REFRESH_MS);
    this.look();
  },
  unmounted() {
    clearInterval(this.timer);
  },
  methods: {
    t, number, openMute,
    show(view) {
      live.heat = view === "hours" ? view : "";
      keepInAddress(address({ incident: live.selected }));
    },
    look() {
      this.hours = null;
      return this.load();
    },
    async load() {
      if (!this.byHour) return;
      const asked = this.subjectOfScreen;
      const query = new URLSearchParams();
      for (const name of ["platform", "account"]) if (live[name]) query.set(name, live[name]);
      try {
        const found = await ask(`/stats/hours?${query}`);
        if (asked !== this.subjectOfScreen) return;
        const first = !this.hours;
        Object.assign(this, { hours: found, error: "" });
        // On a narrow screen the present is at the far end.
        if (first) this.$nextTick(() => this.$refs.scroll && (this.$refs.scroll.scrollLeft = this.$refs.scroll.scrollWidth));
      } catch (wrong) {
        if (asked === this.subjectOfScreen) this.error = wrong.message;
      }
    },
    behind(row, column) {
      const place = { platform: live.platform, account: live.account };
      if (!this.byHour) return toAnomalies({ ...place, platform: row.id, kind: column.id, since: rangeStart() });
      return toAnomalies({ ...place, kind: row.id, since: new Date(column.id).toISOString(), until: new Date(column.id + HOUR_MS).toISOString() });
    },
    subject(row, column) {
      return this.byHour ? { platform: live.platform, account: live.account, kind: row.id } : { platform: row.id, account: live.account, kind: column.id };
    },
    // A root scale: a single count must be seen beside a hundred.
    step(count) {
      return count ? Math.max(1, Math.ceil(Math.sqrt(count / this.most) * STEPS)) : 0;
    },
    label: (row, column, count) => t("heat.cell", { row: row.name, column: column.title, n: number(count) }),
  },
};
