// The anomalies behind a number: filtered by the address line, newest first, each one leading to its message.
import { DASH, WAgo, WIcon, ask, can, channelKey, channelName, conversationKey, dayMinute, evidenceLine, keepInAddress, moment, openMute, platformName, t, toChannel, toConversation, toMs, toTrace, troubleName } from "weir-core";

const PAGE = 50;
const TABS = ["unresolved", "resolved", ""];
const STATUSES = { unresolved: { unresolved: true }, resolved: { status: "resolved" } };
const GLYPHS = { critical: "■", warning: "▲", info: "●" };
const PASSED = ["kind", "severity", "platform", "account", "conversation", "message", "since", "until"];
// Losses that are no failed replies have several causes: failed replies are passed over here, up to this many pages at a time.
const INBOUND = "inbound";
const MOST_PAGES = 10;

export default {
  components: { WAgo, WIcon },
  props: { query: Object },
  template: `
    <div class="page">
      <header class="page-head"><div><h1 class="w-h1">{{ title }}</h1><p class="w-sub">{{ subtitle }}</p></div>
        <div class="page-acts"><button v-if="can('mute') && (query.kind || query.platform)" class="w-btn" type="button" @click="openMute(subject)"><w-icon name="bell-off" />{{ t("mute.act") }}</button>
        <div class="w-seg" role="group" :aria-label="t('anomalies.filter')"><button v-for="name in TABS" :key="name" type="button" :aria-pressed="status === name" @click="choose(name)">{{ t("anomalies.tab." + (name || "all")) }}</button></div></div></header>
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
      const { platform, account, since, until } = this.query;
      const place = platform ? (account ? channelName(platform, account) : platformName(platform)) : t("monitor.all_platforms");
      const span = since && until ? t("anomalies.between", { at: dayMinute(toMs(since)), until: dayMinute(toMs(until)) }) : since ? t("anomalies.since", { at: dayMinute(toMs(since)) }) : "";
      return span ? `${place} · ${span}` : place;
    },
    // What a mute of these rows would name.
    subject() {
      const { kind = "", cause, platform = "", account = "" } = this.query;
      return { kind: kind === "loss" && cause === "outbound" ? "loss_outbound" : kind, platform, account };
    },
  },
  created() {
    this.restart();
  },
  methods: {
    t, can, channelKey, channelName, dayMinute, evidenceLine, moment, openMute, toChannel, toConversation, toMs, toTrace, troubleName,
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
      this.cursor = "";
      this.load();
    },
    fits(row) {
      return this.query.cause !== INBOUND || row.evidence.cause !== "outbound";
    },
    async load() {
      const round = this.round;
      this.loading = true;
      try {
        const shown = [];
        let cursor = this.cursor;
        for (let pages = 0; pages < MOST_PAGES && !shown.length && (!pages || cursor); pages += 1) {
          const found = await ask(`/anomalies?${this.asking(cursor)}`);
          if (round !== this.round) return;
          shown.push(...found.items.filter(this.fits));
          cursor = found.next;
        }
        this.cursor = cursor;
        this.rows = [...this.rows, ...shown];
        this.more = !!cursor;
      } catch (wrong) {
        if (round === this.round) this.error = wrong.message;
      } finally {
        if (round === this.round) this.loading = false;
      }
    },
    asking(cursor) {
      const query = new URLSearchParams({ limit: PAGE, ...STATUSES[this.status] });
      for (const name of PASSED) if (this.query[name]) query.set(name, this.query[name]);
      if (this.query.cause && this.query.cause !== INBOUND) query.set("cause", this.query.cause);
      if (cursor) query.set("cursor", cursor);
      return query;
    },
  },
};
