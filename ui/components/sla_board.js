// Promises to customers by platform: how many clocks run well, are at risk, are broken.
import { WIcon, live, number, platformName, t, tn, toConversations } from "weir-core";

export default {
  components: { WIcon },
  template: `
    <section class="w-card sla" :class="{ 'is-dead': live.snap && !live.sound }" :aria-label="t('sla.title')">
      <div class="w-card-head"><h2 class="w-h2">{{ t("sla.title") }}</h2></div>
      <div class="w-card-body sla-body">
        <table v-if="exposed.length" class="sla-table">
          <thead><tr><th scope="col">{{ t("column.platform") }}</th><td></td><th scope="col" class="r">{{ t("sla.at_risk") }}</th><th scope="col" class="r">{{ t("sla.breached") }}</th></tr></thead>
          <tbody><tr v-for="row in exposed" :key="row.platform">
            <th scope="row">{{ platformName(row.platform) }}</th>
            <td class="sla-bars" aria-hidden="true"><i class="is-red" :style="{ width: width(row.breached) }"></i><i class="is-amber" :style="{ width: width(row.at_risk) }"></i></td>
            <td class="r"><a v-if="row.at_risk" class="figure" :href="toConversations({ platform: row.platform, sla: 'at_risk' })">{{ number(row.at_risk) }}</a><span v-else class="zero">0</span></td>
            <td class="r"><a v-if="row.breached" class="figure is-red" :href="toConversations({ platform: row.platform, sla: 'breached' })">{{ number(row.breached) }}</a><span v-else class="zero">0</span></td>
          </tr></tbody>
        </table>
        <div v-else class="w-empty"><w-icon name="clock" />{{ live.snap ? (running ? tn("sla.all_ok", running) : t("sla.none")) : t("loading") }}</div>
        <p v-if="exposed.length && exposed.length < rows.length" class="w-meta sla-rest">{{ tn("sla.rest", rows.length - exposed.length) }}</p>
      </div>
    </section>`,
  data: () => ({ live }),
  computed: {
    rows: () => [...(live.snap ? live.snap.sla : [])].sort((a, b) => b.breached - a.breached || b.at_risk - a.at_risk || a.platform.localeCompare(b.platform)),
    exposed() {
      return this.rows.filter((row) => row.at_risk || row.breached);
    },
    running() {
      return this.rows.reduce((sum, row) => sum + row.ok, 0);
    },
    most() {
      return Math.max(1, ...this.rows.map((row) => row.at_risk + row.breached));
    },
  },
  methods: {
    t, tn, number, platformName, toConversations,
    width(count) {
      return `${(count / this.most) * 100}%`;
    },
  },
};
