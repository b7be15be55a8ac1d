// Response time lost by transport: how much of it was used up before Weir had the customers' messages, by platform.
import { WIcon, duration, live, number, platformName, rangeStart, t, toAnomalies } from "weir-core";

export default {
  components: { WIcon },
  template: `
    <section class="w-card lost" :class="{ 'is-dead': live.snap && !live.sound }" :aria-label="t('transport.title')">
      <div class="w-card-head"><h2 class="w-h2">{{ t("transport.title") }}</h2><span class="w-meta">{{ t("heat.span", { range: t("range." + live.range) }) }}</span><b v-if="rows.length" class="w-num lost-sum">{{ duration(sum) }}</b></div>
      <div v-if="rows.length" class="w-card-body plat-body" tabindex="0" role="group" :aria-label="t('transport.title')">
        <table class="plat-table">
          <thead><tr><th scope="col">{{ t("column.platform") }}</th><th scope="col" class="r">{{ t("transport.lost") }}</th><th scope="col" class="r">{{ t("transport.each") }}</th><th scope="col" class="r">{{ t("transport.messages") }}</th></tr></thead>
          <tbody><tr v-for="row in rows" :key="row.platform"><th scope="row">{{ platformName(row.platform) }}</th>
            <td><a class="figure" :href="toAnomalies({ platform: row.platform, account: live.account, kind: 'delay', since: rangeStart() })">{{ duration(row.lost_ms) }}</a><span class="plat-bar" aria-hidden="true"><i class="is-amber" :style="{ width: width(row) }"></i></span></td>
            <td class="w-num">{{ duration(Math.round(row.lost_ms / row.inbound)) }}</td>
            <td class="w-num">{{ number(row.inbound) }}</td>
          </tr></tbody>
        </table>
      </div>
      <div v-else class="w-empty"><w-icon name="clock" />{{ t(live.snap ? "transport.none" : "loading") }}</div>
      <p class="w-meta lost-help">{{ t("transport.help") }}</p>
    </section>`,
  data: () => ({ live }),
  computed: {
    rows: () => ((live.snap && live.snap.platforms) || []).filter((row) => row.inbound).sort((a, b) => b.lost_ms - a.lost_ms || a.platform.localeCompare(b.platform)),
    sum() {
      return this.rows.reduce((sum, row) => sum + row.lost_ms, 0);
    },
  },
  methods: {
    t, duration, number, platformName, rangeStart, toAnomalies,
    width(row) {
      return `${(row.lost_ms / Math.max(1, this.rows[0].lost_ms)) * 100}%`;
    },
  },
};
