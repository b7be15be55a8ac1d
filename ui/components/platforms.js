// Platforms side by side: what they carried, how late, with how much trouble; a bar under every figure.
import { DASH, WIcon, compact, duration, isNumber, live, number, platformName, rangeStart, t, toAnomalies, toConversations } from "weir-core";

const PER = 1000;

export default {
  components: { WIcon },
  template: `
    <section class="w-card plat" :class="{ 'is-dead': live.snap && !live.sound }" :aria-label="t('platforms.title')">
      <div class="w-card-head"><h2 class="w-h2">{{ t("platforms.title") }}</h2><span class="w-meta">{{ t("heat.span", { range: t("range." + live.range) }) }}</span></div>
      <div v-if="rows.length" class="w-card-body plat-body" tabindex="0" role="group" :aria-label="t('platforms.title')">
        <table class="plat-table">
          <thead><tr><th scope="col">{{ t("column.platform") }}</th><th v-for="name in ['messages', 'p95', 'anomalies']" :key="name" scope="col" class="r" :title="t('platforms.' + name + '.help')">{{ t("platforms." + name) }}</th></tr></thead>
          <tbody><tr v-for="row in rows" :key="row.platform"><th scope="row">{{ platformName(row.platform) }}</th>
            <td v-for="cell in row.cells" :key="cell.name"><a v-if="cell.to" class="figure" :href="cell.to" :title="cell.title">{{ cell.text }}</a><span v-else class="zero" :title="cell.title">{{ cell.text }}</span><span class="plat-bar" aria-hidden="true"><i :class="'is-' + cell.tone" :style="{ width: cell.width }"></i></span></td>
          </tr></tbody>
        </table>
      </div>
      <div v-else class="w-empty"><w-icon name="layers" />{{ t(live.snap ? "platforms.none" : "loading") }}</div>
    </section>`,
  data: () => ({ live }),
  computed: {
    rows() {
      const found = (live.snap && live.snap.platforms) || [];
      const sums = found.map((row) => ({ ...row, messages: row.inbound + row.outbound })).map((row) => ({ ...row, rate: row.messages ? (row.anomalies / row.messages) * PER : row.anomalies ? Infinity : 0 }));
      const top = (pick) => Math.max(1e-9, ...sums.map(pick).filter(isNumber));
      const most = { messages: top((row) => row.messages), p95: top((row) => row.p95_ms), rate: top((row) => row.rate) };
      const width = (value, of) => `${Math.min(100, ((isNumber(value) ? value : value === Infinity ? of : 0) / of) * 100)}%`;
      return sums.sort((a, b) => b.messages - a.messages || a.platform.localeCompare(b.platform)).map((row) => ({
        platform: row.platform,
        cells: [
          { name: "messages", text: compact(row.messages), title: t("platforms.both", { into: number(row.inbound), out: number(row.outbound) }), tone: "accent", width: width(row.messages, most.messages), to: row.messages ? toConversations({ platform: row.platform }) : "" },
          { name: "p95", text: duration(row.p95_ms), title: t("tile.p50", { value: duration(row.p50_ms) }), tone: "amber", width: width(row.p95_ms, most.p95), to: isNumber(row.p95_ms) ? toAnomalies({ platform: row.platform, account: live.account, kind: "delay", since: rangeStart() }) : "" },
          { name: "anomalies", text: Number.isFinite(row.rate) ? compact(Math.round(row.rate * 10) / 10) : DASH, title: t("platforms.opened", { n: number(row.anomalies) }), tone: "red", width: width(row.rate, most.rate), to: row.anomalies ? toAnomalies({ platform: row.platform, account: live.account, since: rangeStart() }) : "" },
        ],
      }));
    },
  },
  methods: { t, platformName },
};
