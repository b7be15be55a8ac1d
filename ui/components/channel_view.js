// One channel: what it is doing, its numbers and where they lead. The chart and the incidents below share its store.
import { DASH, WAgo, WIcon, WState, age, channelName, endWords, openMute, choose, conditionOf, dayMinute, duration, isNumber, keepInAddress, live, number, splitKey, t, tn, toAnomalies, toConversations, toThresholds, useLive, rangeStart, can } from "weir-core";

const RANGES = ["15m", "1h", "6h", "24h"];
const COUNTS = ["loss", "out_fail", "out_of_sync", "attachment_failed", "notification_missed", "translation_failed"];
const FILTERS = { loss: { kind: "loss", cause: "inbound" }, out_fail: { kind: "loss", cause: "outbound" } };

export default {
  components: { WAgo, WIcon, WState },
  props: { query: Object },
  template: `
    <div class="page">
      <header class="page-head"><div><h1 class="w-h1 break">{{ channelName(platform, account) }}</h1><p class="w-sub chan-state"><w-state v-if="row" :state="live.sound ? conditionOf(row) : 'no_data'" /><span v-if="row && row.state === 'silenced' && row.muted_until" class="w-num">{{ t("mute.till", { at: endWords(row.muted_until) }) }}</span><span v-if="row && row.since && row.state !== 'ok'" class="w-num">{{ t("channel.since", { at: dayMinute(row.since), age: age(live.now - row.since) }) }}</span></p></div>
        <div class="bar-tools"><span class="badge" :class="'is-' + live.mode"><i></i><b role="status">{{ t("live." + live.mode) }}</b></span>
          <div class="w-seg" role="group" :aria-label="t('monitor.range')"><button v-for="range in RANGES" :key="range" type="button" :aria-pressed="live.range === range" @click="span(range)">{{ t("range." + range) }}</button></div>
          <a class="w-btn" :href="toConversations({ platform, account })"><w-icon name="message-square" />{{ t("channel.conversations") }}</a>
          <button v-if="can('mute') && platform" class="w-btn" type="button" @click="openMute({ platform, account })"><w-icon name="bell-off" />{{ t("mute.act") }}</button>
          <a v-if="can('view_thresholds')" class="w-btn" :href="toThresholds('', query.key)"><w-icon name="sliders-horizontal" />{{ t("channel.thresholds") }}</a></div></header>
      <section v-if="row" class="w-card" :class="{ 'is-dead': !live.sound }"><ul class="chan-facts">
        <li><span>{{ t("column.last_in") }}</span><b><w-ago :at="row.last_in_at || 0" /></b></li>
        <li><span>{{ t("column.rate") }}</span><b class="w-num">{{ isNumber(row.expected) ? number(Math.round(row.expected)) : DASH }} / {{ number(row.got) }}</b></li>
        <li><span>{{ t("column.delay") }}</span><b class="w-num">{{ duration(row.p95_ms) }}</b><a v-if="row.delay" class="w-link" :href="ranged('delay')">{{ tn("channel.late", row.delay) }}</a></li>
        <li v-for="name in COUNTS" :key="name"><span>{{ t("column." + name) }}</span><a v-if="row[name]" class="figure is-amber" :href="behind(name)">{{ number(row[name]) }}</a><b v-else class="zero">0</b></li>
        <li><span>{{ t("column.duplicate") }}</span><a v-if="row.duplicate" class="figure" :href="ranged('duplicate')">{{ number(row.duplicate) }}</a><b v-else class="zero">0</b></li>
      </ul></section>
      <div v-else class="w-card w-empty"><w-icon name="plug" /><b>{{ live.error || t(live.snap ? "channel.none" : "loading") }}</b></div>
    </div>`,
  data() {
    const [platform = "", account = ""] = splitKey(this.query.key || "");
    return { live, DASH, RANGES, COUNTS, platform, account };
  },
  computed: {
    row() {
      return (live.snap ? live.snap.channels : []).find((one) => one.platform === this.platform && one.account === this.account) || null;
    },
  },
  created() {
    const range = RANGES.includes(this.query.range) ? this.query.range : "1h";
    this.stop = useLive({ platform: this.platform, account: this.account, range });
  },
  unmounted() {
    this.stop();
  },
  methods: {
    t, tn, age, can, channelName, conditionOf, endWords, openMute, dayMinute, duration, isNumber, number, toConversations, toThresholds,
    ranged(kind) {
      return toAnomalies({ platform: this.platform, account: this.account, kind, since: rangeStart() });
    },
    behind(name) {
      return toAnomalies({ platform: this.platform, account: this.account, status: "unresolved", ...(FILTERS[name] || { kind: name }) });
    },
    span(range) {
      choose({ range });
      keepInAddress({ key: this.query.key, range });
    },
  },
};
