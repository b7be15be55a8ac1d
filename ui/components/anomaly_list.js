// The anomalies behind a number: filtered by the address line, newest first, each one leading to its message.
import { DASH, WAgo, WIcon, ask, channelKey, channelName, conversationKey, dayMinute, evidenceLine, keepInAddress, moment, platformName, t, toChannel, toConversation, toMs, toTrace, troubleName } from "weir-core";

const PAGE = 50;
const TABS = ["unresolved", "resolved", ""];
const STATUSES = { unresolved: ["open", "acknowledged"], resolved: ["resolved"], "": [""] };
const GLYPHS = { critical: "■", warning: "▲", info: "●" };
const PASSED = ["kind", "severity", "platform", "account", "conversation", "message", "since", "until"];
// A filter on the cause is applied here: rows that do not fit are passed over, up to this many pages at a time.
const MOST_PAGES = 10;

export default {
  components: { WAgo, WIcon },
  props: { query: Object },
  template: `
    <div class="page">
      <header class="page-head"><div><h1 class="w-h1">{{ title }}</h1><p class="w-sub">{{ subtitle }}</p></div>
        <div class="w-seg" role="group" :aria-label="t('anomalies.filter')"><button v-for="name in TABS" :key="name" type="button" :aria-pressed="status === name" @click="choose(name)">{{ t("anomalies.tab." + (name || "all")) }}</button></div></header>
      <section class="w-card">
        <div v-if="rows.length" class="w-scroll-x"><table class="w-table rows">
          <thead><tr><th scope="col">{{ t("anomalies.trouble") }}</th><th scope="col">{{ t("column.channel") }}</th><th scope="col">{{ t("anomalies.message") }}</th><th scope="col">{{ t("detail.since") }}</th><th scope="col">{{ t("detail.noticed") }}</th><th scope="col">{{ t("column.state") }}</th></tr></thead>
          <tbody><tr v-for="row in rows" :key="row.id" :class="'is-' + row.severity">
            <td data-cell="main"><span class="inc-glyph" aria-hidden="true">{{ GLYPHS[row.severity] }}</span><b>{{ troubleName(row) }}</b><span class="rows-line">{{ evidenceLine(row.kind, row.evidence) }}</span></td>
            <td><a class="w-link" :href="toChannel(channelKey(row.platform, row.account))">{{ channelName(row.platform, row.account) }}</a></td>
            <td class="rows-id"><a v-if="row.message" class="w-link w-mono" :href="toTrace(key(row), row.message)">{{ row.message }}</a><a v-else-if="row.conversation" class="w-link w-mono" :href="toConversation(key(row))">{{ row.conversation }}</a><span v-else class="w-meta">{{ t("anomalies.whole_channel") }}</span></td>
            <td class="w-num" :title="moment(toMs(row.since))">{{ dayMinute(toMs(row.since)) }}</td>
            <td class="w-num" :title="moment(toMs(row.opened_at))">{{ dayMinute(toMs(row.opened_at)) }}</td>
            <td><span class="w-pill" :class="pill(row)">{{ row.status === "resolved" && row.resolution ? resolution(row) : t("status." + row.status) }}</span></td>
          </tr></tbody></table></div>
        <div v-else class="w-empty"><w-icon :name="error ? 'circle-alert' : 'circle-check'" /><b>{{ error || t(loading ? "loading" : "anomalies.none") }}</b></div>
        <button v-if="more && !loading" class="mx-more" type="button" @click="load">{{ t("more") }}</button>
      </section>
    </div>`,
  data() {
    return { TABS, GLYPHS, status: this.query.status || "", rows: [], loading: false, error: "", more: false };
  },
  computed: {
    title() {
      const { kind, cause } = this.query;
      return kind ? troubleName({ kind, evidence: { cause } }) : t("nav.anomalies");
    },
    subtitle() {
      const { platform, account, since } = this.query;
      const place = platform ? (account ? channelName(platform, account) : platformName(platform)) : t("monitor.all_platforms");
      return since ? `${place} · ${t("anomalies.since", { at: dayMinute(toMs(since)) })}` : place;
    },
  },
  created() {
    this.restart();
  },
  methods: {
    t, channelKey, channelName, dayMinute, evidenceLine, moment, toChannel, toConversation, toMs, toTrace, troubleName,
    key: (row) => conversationKey(row.platform, row.account, row.conversation),
    pill: (row) => ({ open: row.severity === "critical" ? "is-red" : "is-amber", acknowledged: "is-accent", resolved: "is-green" })[row.status],
    resolution(row) {
      const known = t(`resolution.${row.resolution}`);
      return known.startsWith("resolution.") ? t("status.resolved") : known;
    },
    choose(status) {
      this.status = status;
      keepInAddress({ ...this.query, status });
      this.restart();
    },
    restart() {
      this.round = {};
      Object.assign(this, { rows: [], error: "", more: false });
      this.ends = STATUSES[this.status in STATUSES ? this.status : ""].map((status) => ({ status, cursor: "", over: false, rows: [] }));
      this.load();
    },
    fits(row) {
      const cause = this.query.cause;
      if (!cause) return true;
      return cause === "inbound" ? row.evidence.cause !== "outbound" : row.evidence.cause === cause;
    },
    // Statuses are lists of their own in the API: their heads are merged, newest first.
    async load() {
      const round = this.round;
      this.loading = true;
      try {
        const shown = [];
        for (let pages = 0; shown.length < PAGE && pages < MOST_PAGES; ) {
          for (const end of this.ends) if (!end.rows.length && !end.over && ++pages) await this.fill(end);
          if (round !== this.round) return;
          const heads = this.ends.filter((end) => end.rows.length);
          if (!heads.length) break;
          const next = heads.reduce((a, b) => (toMs(b.rows[0].opened_at) > toMs(a.rows[0].opened_at) ? b : a));
          const row = next.rows.shift();
          if (this.fits(row)) shown.push(row);
        }
        this.rows = [...this.rows, ...shown];
        this.more = this.ends.some((end) => end.rows.length || !end.over);
      } catch (wrong) {
        this.error = wrong.message;
      } finally {
        this.loading = false;
      }
    },
    async fill(end) {
      const query = new URLSearchParams({ limit: PAGE });
      for (const name of PASSED) if (this.query[name]) query.set(name, this.query[name]);
      if (end.status) query.set("status", end.status);
      if (end.cursor) query.set("cursor", end.cursor);
      const found = await ask(`/anomalies?${query}`);
      Object.assign(end, { rows: found.items, cursor: found.next, over: !found.next });
    },
  },
};
