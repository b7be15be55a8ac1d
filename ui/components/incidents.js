// What needs somebody, worst first, and beside it the one that is selected: its evidence, its messages, what to do.
import { WAgo, WIcon, address, ask, can, channelName, endWords, evidenceLine, go, keepInAddress, live, number, t, tell, tn, toast, troubleName, toThresholds } from "weir-core";
import { IncidentDetail } from "weir-core/incident_detail.js";

const RANK = { critical: 0, warning: 1, info: 2 };
const TABS = ["open", "acknowledged", "muted", "all"];
const GLYPHS = { critical: "■", warning: "▲", info: "●" };
const REFRESH_MS = 5000;

export default {
  components: { WAgo, WIcon, IncidentDetail },
  template: `
    <section class="w-card inc" :class="{ 'is-dead': live.snap && !live.sound, 'has-detail': current }" :aria-label="t('incidents.title')">
      <div class="inc-list">
        <div class="w-card-head"><h2 class="w-h2">{{ t("incidents.title") }}</h2>
          <div class="w-seg" role="group" :aria-label="t('incidents.filter')"><button v-for="name in TABS" :key="name" type="button" :aria-pressed="tab === name" @click="tab = name">{{ t("incidents." + name) }}<span v-if="name !== 'all'" class="n">{{ number(count(name)) }}</span></button></div></div>
        <ul v-if="rows.length" class="inc-rows">
          <li v-for="row in rows" :key="row.id"><button class="inc-row" type="button" :class="['is-' + row.severity, 'is-' + row.status, { 'is-muted': row.muted_by }]" :aria-pressed="row.id === selected" @click="select(row.id)">
            <span class="inc-glyph" aria-hidden="true">{{ GLYPHS[row.severity] }}</span>
            <span class="inc-main"><span class="inc-title"><span class="w-sr">{{ t("severity." + row.severity) }} </span><b>{{ title(row) }}</b><span>{{ channelName(row.platform, row.account) }}</span></span><span class="inc-line">{{ line(row) }}</span></span>
            <span class="inc-side"><span class="w-num"><w-ago :at="row.since" /></span><span class="inc-status">{{ row.muted_by ? t("incidents.quiet", { at: endWords(row.muted_until) }) : row.status === "acknowledged" && row.by ? row.by : t("status." + row.status) }}</span></span>
          </button></li>
        </ul>
        <p v-if="rows.length && beyond > 0" class="w-meta inc-beyond">{{ tn("incidents.beyond", beyond) }}</p>
        <div v-if="!rows.length" class="w-empty"><w-icon name="circle-check" /><b>{{ t(live.snap ? "incidents.none" : "loading") }}</b><span v-if="live.snap && live.sound">{{ t("incidents.none.help") }}</span></div>
      </div>
      <div class="inc-side-panel">
        <incident-detail v-if="current" :incident="current" :detail="detail" :error="error" :may="may" :busy="busy" @act="act" @close="select('')" @choose="select" />
        <div v-else class="w-empty"><w-icon name="flag" />{{ t("incidents.choose") }}</div>
      </div>
    </section>`,
  data: () => ({ live, TABS, GLYPHS, tab: "open", selected: live.selected, detail: null, error: "", busy: "", may: can("act_on_anomalies") }),
  computed: {
    all: () => [...(live.snap ? live.snap.incidents : [])].sort((a, b) => order(a) - order(b) || RANK[a.severity] - RANK[b.severity] || a.since - b.since),
    rows() {
      return this.tab === "all" ? this.all : this.all.filter((row) => tabOf(row) === this.tab);
    },
    // The service sends the most urgent ones only.
    beyond: () => (live.snap ? (live.snap.incidents_total || 0) - live.snap.incidents.length : 0),
    current() {
      return this.all.find((row) => row.id === this.selected) || (this.selected && this.detail && this.detail.incident) || null;
    },
  },
  watch: {
    rows(rows) {
      // The desk shows the worst one without a click; a phone waits until somebody asks.
      if (!this.selected && rows.length && !this.chosen && matchMedia("(min-width: 1181px)").matches) this.show(rows[0].id);
    },
  },
  mounted() {
    this.timer = setInterval(() => this.selected && !document.hidden && !live.paused && this.load(), REFRESH_MS);
    document.addEventListener("keydown", this.key);
    if (this.selected) this.select(this.selected);
  },
  unmounted() {
    clearInterval(this.timer);
    document.removeEventListener("keydown", this.key);
  },
  methods: {
    t, tn, number, channelName, endWords,
    count: (tab) => (live.snap ? live.snap.incidents.filter((row) => tabOf(row) === tab).length : 0),
    title: troubleName,
    line(row) {
      const parts = [evidenceLine(row.kind, row.evidence)];
      if (row.count > 1) parts.push(row.open && row.open !== row.count ? t("incidents.count_open", { n: number(row.count), open: number(row.open) }) : tn("incidents.count", row.count));
      if (row.hidden) parts.push(tn("incidents.hidden", row.hidden));
      return parts.filter(Boolean).join(" · ");
    },
    select(id) {
      this.chosen = true;
      this.show(id);
      keepInAddress(address({ incident: id }));
    },
    show(id) {
      if (id !== this.selected) Object.assign(this, { detail: null, error: "" });
      this.selected = live.selected = id;
      if (id) this.load();
    },
    load() {
      const id = this.selected;
      return ask(`/incidents/${encodeURIComponent(id)}`).then(
        (found) => id === this.selected && Object.assign(this, { detail: found, error: "" }),
        (wrong) => id === this.selected && (this.error = wrong.message),
      );
    },
    async act({ name, body }) {
      const { id, kind, platform, account } = this.current;
      this.busy = name;
      try {
        await tell(`/incidents/${encodeURIComponent(id)}/${name}`, body || {});
        toast(t("done." + name));
        if (name === "false-alarm") go(toThresholds(kind, `${platform}/${account}`));
        else await this.load();
      } catch (wrong) {
        toast(wrong.message, "error");
      } finally {
        this.busy = "";
      }
    },
    key(event) {
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.metaKey || event.ctrlKey || event.altKey) return;
      if (document.querySelector(".w-scrim")) return;
      const at = this.rows.findIndex((row) => row.id === this.selected);
      const step = { j: 1, k: -1 }[event.key];
      if (step) {
        const next = this.rows[Math.min(this.rows.length - 1, Math.max(0, at + step))];
        if (next) this.select(next.id);
      } else if (event.key === "a" && this.may && this.current && this.current.status === "open") this.act({ name: "acknowledge" });
      else if (event.key === "r" && this.may && this.current) window.dispatchEvent(new CustomEvent("weir-resolve"));
      else if (event.key === "Escape" && this.selected) this.select("");
      else return;
      event.preventDefault();
    },
  },
};

// A muted one asks for nobody, whatever its status.
const tabOf = (row) => (row.muted_by ? "muted" : row.status);
const order = (row) => ({ open: 0, acknowledged: 1, muted: 2, resolved: 3 })[tabOf(row)];
