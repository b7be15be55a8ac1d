// Where the trouble sits: platforms by kinds, a table with seven steps of colour and the number in every cell.
import { WIcon, live, number, platformName, rangeStart, t, toAnomalies } from "weir-core";

const STEPS = 6;

export default {
  components: { WIcon },
  template: `
    <section class="w-card heat" :class="{ 'is-dead': live.snap && !live.sound }" :aria-label="t('heat.title')">
      <div class="w-card-head"><h2 class="w-h2">{{ t("heat.title") }}</h2><span class="w-meta">{{ t("heat.span", { range: t("range." + live.range) }) }}</span>
        <span class="heat-key" aria-hidden="true"><span class="w-meta">0</span><i v-for="step in 6" :key="step" :class="'h-' + step"></i><span class="w-meta w-num">{{ number(most) }}</span></span></div>
      <div class="w-card-body w-scroll-x" tabindex="0" role="group" :aria-label="t('heat.title')">
        <table v-if="found.platforms.length" class="heat-table">
          <thead><tr><td></td><th v-for="kind in found.kinds" :key="kind" scope="col">{{ t("kind.short." + kind) }}</th><th scope="col" class="r">{{ t("heat.sum") }}</th></tr></thead>
          <tbody><tr v-for="row in rows" :key="row.platform"><th scope="row">{{ platformName(row.platform) }}</th>
            <td v-for="(count, index) in row.cells" :key="found.kinds[index]"><a v-if="count" class="heat-cell" :class="'h-' + step(count)" :href="behind(row.platform, found.kinds[index])" :aria-label="label(row, index, count)">{{ number(count) }}</a><span v-else class="heat-cell h-0"><span class="w-sr">0</span></span></td>
            <td class="r w-num heat-sum">{{ number(row.sum) }}</td></tr></tbody>
        </table>
        <div v-else class="w-empty"><w-icon name="circle-check" />{{ t(live.snap ? "heat.none" : "loading") }}</div>
      </div>
    </section>`,
  data: () => ({ live }),
  computed: {
    found: () => (live.snap ? live.snap.heat : { platforms: [], kinds: [], cells: [] }),
    most() {
      return Math.max(0, ...this.found.cells.flat());
    },
    rows() {
      const rows = this.found.platforms.map((platform, index) => {
        const cells = this.found.cells[index];
        return { platform, cells, sum: cells.reduce((sum, count) => sum + count, 0) };
      });
      return rows.sort((a, b) => b.sum - a.sum || a.platform.localeCompare(b.platform));
    },
  },
  methods: {
    t, number, platformName,
    behind: (platform, kind) => toAnomalies({ platform, kind, since: rangeStart() }),
    // A root scale: a single count must be seen beside a hundred.
    step(count) {
      return count ? Math.max(1, Math.ceil(Math.sqrt(count / this.most) * STEPS)) : 0;
    },
    label(row, index, count) {
      return t("heat.cell", { platform: platformName(row.platform), kind: t("kind." + this.found.kinds[index]), n: number(count) });
    },
  },
};
