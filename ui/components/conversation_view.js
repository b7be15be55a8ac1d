// The messages of one conversation as Weir holds them, each leading to its trace. Texts are shown as text, whatever they hold.
import { WFiles, WIcon, ask, channelKey, channelName, dayMinute, duration, isArriving, isNumber, messagesPath, moment, splitKey, t, tn, toAnomalies, toChannel, toMs, toTrace } from "weir-core";

const PAGE = 100;
const LOOK_MS = 2000;
const WATCHED_MS = 90_000;

export default {
  components: { WFiles, WIcon },
  props: { query: Object },
  template: `
    <div class="page page-narrow">
      <header class="page-head"><div><h1 class="w-h1 break">{{ conversation }}</h1><p class="w-sub"><a class="w-link" :href="toChannel(channelKey(platform, account))">{{ channelName(platform, account) }}</a></p></div>
        <a class="w-btn" :href="toAnomalies({ platform, account, conversation })"><w-icon name="flag" />{{ t("nav.anomalies") }}</a></header>
      <ol v-if="rows.length" class="thread"><li v-for="row in rows" :key="row.message" class="bubble" :class="'is-' + row.direction">
        <a class="bubble-in" :href="toTrace(key, row.message)" :aria-label="t('thread.trace')"><span v-if="row.text" class="bubble-text">{{ said(row).text }}</span><span v-else class="w-meta">{{ t("find.no_text") }}</span></a>
        <details v-if="said(row).quoted" class="w-folded"><summary>{{ t("text.quoted") }}</summary><span class="bubble-text">{{ said(row).quoted }}</span></details>
        <w-files v-if="row.attachments.length" :row="row" :now="now" @asked="watch" />
        <span class="w-meta w-num bubble-meta"><span>{{ row.sender_name || t("thread." + row.direction) }}</span><span :title="moment(toMs(row.sent_at))">{{ dayMinute(toMs(row.sent_at)) }}</span><span v-if="isNumber(row.delay_ms)">{{ t("thread.arrived", { delay: duration(row.delay_ms) }) }}</span><span v-if="row.copies">{{ tn("evidence.line.copies", row.copies) }}</span><span v-if="row.versions && row.versions.length">{{ tn("thread.versions", row.versions.length) }}</span></span>
      </li></ol>
      <div v-else class="w-card w-empty"><w-icon :name="error ? 'circle-alert' : 'message-square'" /><b>{{ error || t(loading ? "loading" : "thread.none") }}</b></div>
      <button v-if="next && !loading" class="w-btn" type="button" @click="load">{{ t("more") }}</button>
    </div>`,
  data() {
    const [platform = "", account = "", conversation = ""] = splitKey(this.query.key || "");
    return { key: this.query.key || "", platform, account, conversation, pages: [], next: "", loading: false, error: "", now: Date.now(), until: 0 };
  },
  computed: {
    rows() {
      return this.pages.flatMap((page) => page.rows);
    },
  },
  created() {
    this.load();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  },
  beforeUnmount() {
    clearInterval(this.timer);
  },
  methods: {
    t, tn, channelKey, channelName, dayMinute, duration, isNumber, moment, toAnomalies, toChannel, toMs, toTrace,
    // A mail's text without what it quotes of earlier ones, and that.
    said(row) {
      const fold = (row.extra || {}).quoted_from;
      const letters = Array.from(row.text || "");
      const folded = Number.isInteger(fold) && 0 < fold && fold < letters.length;
      return { text: folded ? letters.slice(0, fold).join("").trimEnd() : row.text, quoted: folded ? letters.slice(fold).join("") : "" };
    },
    watch() {
      this.until = Date.now() + WATCHED_MS;
    },
    // Pages whose files are still to come are read again until they are there.
    async look() {
      this.now = Date.now();
      if (document.hidden || this.looking) return;
      this.looking = true;
      try {
        for (const page of this.pages) {
          if (!page.rows.some((row) => isArriving(row, this.now)) && !(this.now < this.until && page.rows.some((row) => row.attachments.length))) continue;
          page.rows = (await ask(page.path)).items;
        }
      } catch (wrong) {
        if (wrong.status !== 0 && wrong.status !== 503) throw wrong; // the next look brings it
      } finally {
        this.looking = false;
      }
    },
    async load() {
      Object.assign(this, { loading: true, error: "" });
      try {
        const query = new URLSearchParams({ limit: PAGE });
        if (this.next) query.set("cursor", this.next);
        const path = `${messagesPath(this.key)}?${query}`;
        const found = await ask(path);
        this.pages.push({ path, rows: found.items });
        this.next = found.next;
      } catch (wrong) {
        this.error = wrong.message;
      } finally {
        this.loading = false;
      }
    },
  },
};
