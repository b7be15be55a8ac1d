// Channel by channel: condition by shape, word and colour; every number opens the rows behind it.
//
// Worst first: severity, then messages at risk, then age. Rows change places at most every two seconds and never under a pointer
// or a focused link. On a phone the healthy ones fold into one line.
import { CONDITIONS, DASH, WAgo, WIcon, WState, can, channelKey, channelName, conditionOf, duration, endWords, isNumber, live, number, openMute, platformName, rangeStart, roughAge, t, tn, toAnomalies, toChannel } from "weir-core";

const RANK = Object.fromEntries(CONDITIONS.map((name, rank) => [name, rank]));
const RESORT_MS = 2000;
const SHOWN = 40;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const COUNTS = [
  ["loss", { kind: "loss", cause: "inbound" }, "red"],
  ["duplicate", { kind: "duplicate", ranged: true }, "plain"],
  ["out_of_sync", { kind: "out_of_sync" }, "amber"],
  ["attachment_failed", { kind: "attachment_failed" }, "amber"],
  ["notification_missed", { kind: "notification_missed" }, "amber"],
  ["translation_failed", { kind: "translation_failed" }, "amber"],
  ["out_fail", { kind: "loss", cause: "outbound" }, "red"],
];

export default {
  components: { WAgo, WIcon, WState },
  template: `
    <section class="w-card mx" :class="{ 'is-dead': live.snap && !live.sound }" :aria-label="t('matrix.title')" @pointerenter="held = true" @pointerleave="held = false" @focusin="held = true" @focusout="held = false">
      <div class="w-card-head"><h2 class="w-h2">{{ t("matrix.title") }}</h2>
        <ul class="mx-key" :aria-label="t('matrix.states')"><li v-for="state in states" :key="state.name"><w-state :state="state.name" /><b class="w-num">{{ state.count }}</b></li></ul></div>
      <div v-if="rows.length" class="mx-scroll w-scroll-x" tabindex="0" role="group" :aria-label="t('matrix.title')">
        <table class="mx-table">
          <thead><tr><th v-for="column in columns" :key="column" scope="col" :class="{ r: column !== 'channel' && column !== 'state' && column !== 'auth', 'mx-auth': column === 'auth' }" :title="t('column.' + column + '.help')">{{ t("column." + column) }}</th><th v-if="may" scope="col"><span class="w-sr">{{ t("mute.act") }}</span></th></tr></thead>
          <tbody>
            <tr v-for="row in rows" :key="row.key" class="mx-row" :class="['is-' + shown(row), { 'is-folded': shown(row) === 'ok' && !open }]">
              <th scope="row" class="mx-name"><a :href="toChannel(row.key)"><b>{{ platformName(row.platform) }}</b><span>{{ row.account }}</span></a><a v-if="row.at_risk && live.sound" class="mx-risk w-num" :class="{ 'is-quiet': row.state === 'silenced' }" :href="behind(row, {})" :title="tn('matrix.at_risk', row.at_risk)">{{ number(row.at_risk) }}</a></th>
              <td class="mx-state"><w-state :state="shown(row)" :title="quiet(row)" /><span v-if="row.state === 'silenced' && row.muted_until && live.sound" class="mx-since w-num">{{ t("mute.till", { at: endWords(row.muted_until) }) }}</span><span v-else-if="row.since && shown(row) !== 'ok' && live.sound" class="mx-since w-num">{{ roughAge(live.now - row.since) }}</span><span v-if="row.muted && row.state !== 'silenced' && live.sound" class="mx-muted w-num" :title="quiet(row)">{{ tn("mute.count", row.muted) }}</span></td>
              <td class="r mx-ago" :data-label="t('column.last_in')"><w-ago v-if="row.last_in_at" :at="row.last_in_at" /><span v-else class="zero">–</span></td>
              <td class="r mx-rate" :data-label="t('column.rate')"><span class="w-num" :class="{ 'is-red': short(row) }"><span class="mx-exp">{{ expected(row) }}</span> / <b>{{ number(row.got) }}</b></span></td>
              <td class="r" :data-label="t('column.delay')"><a v-if="row.delay" class="figure" :class="'is-' + delayTone(row)" :href="behind(row, { kind: 'delay', ranged: true })">{{ duration(row.p95_ms) }}</a><span v-else class="w-num" :class="{ zero: !isNumber(row.p95_ms) }">{{ duration(row.p95_ms) }}</span></td>
              <td v-for="[name, filter, tone] in COUNTS" :key="name" class="r" :class="{ 'is-none': !row[name] }" :data-label="t('column.' + name)"><a v-if="row[name]" class="figure" :class="'is-' + tone" :href="behind(row, filter)">{{ number(row[name]) }}</a><span v-else class="zero">{{ unknown(row, name) ? "–" : 0 }}</span></td>
              <td class="mx-auth" :data-label="t('column.auth')"><span :class="'is-' + auth(row).tone">{{ auth(row).text }}</span></td>
              <td v-if="may" class="mx-act"><button class="w-btn is-icon is-quiet" type="button" :title="t('mute.act')" :aria-label="t('mute.act_on', { name: channelName(row.platform, row.account) })" @click="openMute({ platform: row.platform, account: row.account })"><w-icon name="bell-off" /></button></td>
            </tr>
          </tbody>
        </table>
      </div>
      <button v-if="fine" class="mx-fine" type="button" :aria-expanded="open" @click="open = !open"><w-state state="ok" bare /><span>{{ tn("matrix.fine", fine) }}</span><w-icon :name="open ? 'chevron-down' : 'chevron-right'" /></button>
      <button v-if="hidden" class="mx-more" type="button" @click="all = true">{{ t("matrix.more", { n: number(hidden) }) }}</button>
      <div v-if="!rows.length" class="w-empty"><w-icon name="plug" /><b>{{ t(live.snap ? "matrix.none" : "loading") }}</b><span v-if="live.snap">{{ t("matrix.none.help") }}</span></div>
    </section>`,
  data: () => ({ live, COUNTS, order: [], open: false, all: false, held: false, may: can("mute"), columns: ["channel", "state", "last_in", "rate", "delay", ...COUNTS.map(([name]) => name), "auth"] }),
  computed: {
    sorted() {
      const rows = new Map((live.snap ? live.snap.channels : []).map((row) => [row.key, row]));
      const kept = this.order.filter((key) => rows.has(key)).map((key) => rows.get(key));
      const fresh = [...rows.values()].filter((row) => !this.order.includes(row.key));
      return [...kept, ...fresh.sort(worse)];
    },
    rows() {
      return this.all ? this.sorted : this.sorted.slice(0, SHOWN);
    },
    hidden() {
      return this.sorted.length - this.rows.length;
    },
    fine() {
      return this.rows.filter((row) => this.shown(row) === "ok").length;
    },
    states() {
      const counts = {};
      for (const row of this.sorted) counts[this.shown(row)] = (counts[this.shown(row)] || 0) + 1;
      return CONDITIONS.filter((name) => counts[name]).map((name) => ({ name, count: counts[name] }));
    },
  },
  watch: {
    "live.snap": "resort",
  },
  created() {
    this.sortedAt = 0;
    this.resort();
  },
  methods: {
    t, tn, roughAge, number, duration, endWords, isNumber, openMute, channelName, platformName, toChannel,
    resort() {
      if (!live.snap || (this.order.length && (this.held || Date.now() - this.sortedAt < RESORT_MS))) return;
      this.sortedAt = Date.now();
      this.order = [...live.snap.channels].sort(worse).map((row) => row.key);
    },
    // Figures that cannot be believed must not look healthy.
    shown: (row) => (live.sound ? conditionOf(row) : "no_data"),
    // Counts of the range open its rows, the others what is unresolved.
    behind: (row, { ranged, ...filter }) => toAnomalies({ platform: row.platform, account: row.account, ...(ranged ? { since: rangeStart() } : { status: "unresolved" }), ...filter }),
    // What is kept quiet, in words.
    quiet: (row) => (row.muted ? tn("mute.quiet", row.muted) : row.state === "silenced" ? t("mute.whole") : ""),
    expected: (row) => (isNumber(row.expected) ? number(Math.round(row.expected)) : DASH),
    short: (row) => isNumber(row.expected) && row.expected >= 5 && row.got < row.expected / 2,
    // Nothing was heard: that nothing is lost cannot be known.
    unknown: (row, name) => name === "loss" && (row.state === "no_data" || (row.state === "down" && !row.got)),
    delayTone: (row) => (row.p95_ms > 300_000 ? "red" : row.p95_ms > 30_000 ? "amber" : "plain"),
    auth(row) {
      const { status, expires_at: until } = row.auth;
      if (status === "expired" || status === "revoked" || (until && until < live.now)) return { tone: "red", text: t("auth." + (status === "revoked" ? "revoked" : "expired")) };
      if (!until) return status ? { tone: "plain", text: t("auth.ok") } : { tone: "none", text: DASH };
      const left = until - live.now;
      if (left < DAY_MS) return { tone: "red", text: t("unit.h", { n: Math.floor(left / HOUR_MS) }) };
      return { tone: left < 7 * DAY_MS ? "amber" : "plain", text: t("unit.d", { n: Math.floor(left / DAY_MS) }) };
    },
  },
};

function worse(a, b) {
  return RANK[conditionOf(a)] - RANK[conditionOf(b)] || b.at_risk - a.at_risk || (a.since || Infinity) - (b.since || Infinity) || channelKey(a.platform, a.account).localeCompare(channelKey(b.platform, b.account));
}
