// The messages of one conversation as Weir holds them, each leading to its trace. Texts are shown as text, whatever they hold.
import { WIcon, ask, channelKey, channelName, dayMinute, duration, isNumber, messagesPath, moment, splitKey, t, tn, toAnomalies, toChannel, toMs, toTrace } from "weir-core";

const PAGE = 100;

export default {
  components: { WIcon },
  props: { query: Object },
  template: `
    <div class="page page-narrow">
      <header class="page-head"><div><h1 class="w-h1 break">{{ conversation }}</h1><p class="w-sub"><a class="w-link" :href="toChannel(channelKey(platform, account))">{{ channelName(platform, account) }}</a></p></div>
        <a class="w-btn" :href="toAnomalies({ platform, account, conversation })"><w-icon name="flag" />{{ t("nav.anomalies") }}</a></header>
      <ol v-if="rows.length" class="thread"><li v-for="row in rows" :key="row.message" class="bubble" :class="'is-' + row.direction">
        <a class="bubble-in" :href="toTrace(key, row.message)" :aria-label="t('thread.trace')"><span v-if="row.text" class="bubble-text">{{ row.text }}</span><span v-else class="w-meta">{{ t("find.no_text") }}</span>
          <span v-for="item in row.attachments" :key="item.id" class="bubble-file"><w-icon name="paperclip" />{{ item.kind || item.mime || item.id }}</span></a>
        <span class="w-meta w-num bubble-meta"><span>{{ row.sender_name || t("thread." + row.direction) }}</span><span :title="moment(toMs(row.sent_at))">{{ dayMinute(toMs(row.sent_at)) }}</span><span v-if="isNumber(row.delay_ms)">{{ t("thread.arrived", { delay: duration(row.delay_ms) }) }}</span><span v-if="row.copies">{{ tn("evidence.line.copies", row.copies) }}</span><span v-if="row.versions && row.versions.length">{{ tn("thread.versions", row.versions.length) }}</span></span>
      </li></ol>
      <div v-else class="w-card w-empty"><w-icon :name="error ? 'circle-alert' : 'message-square'" /><b>{{ error || t(loading ? "loading" : "thread.none") }}</b></div>
      <button v-if="next && !loading" class="w-btn" type="button" @click="load">{{ t("more") }}</button>
    </div>`,
  data() {
    const [platform = "", account = "", conversation = ""] = splitKey(this.query.key || "");
    return { key: this.query.key || "", platform, account, conversation, rows: [], next: "", loading: false, error: "" };
  },
  created() {
    this.load();
  },
  methods: {
    t, tn, channelKey, channelName, dayMinute, duration, isNumber, moment, toAnomalies, toChannel, toMs, toTrace,
    async load() {
      Object.assign(this, { loading: true, error: "" });
      try {
        const query = new URLSearchParams({ limit: PAGE });
        if (this.next) query.set("cursor", this.next);
        const found = await ask(`${messagesPath(this.key)}?${query}`);
        this.rows = [...this.rows, ...found.items];
        this.next = found.next;
      } catch (wrong) {
        this.error = wrong.message;
      } finally {
        this.loading = false;
      }
    },
  },
};
