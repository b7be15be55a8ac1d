// Conversations: found by order, customer, id or text, or those behind a number.
import { WAgo, WIcon, ask, channelName, keepInAddress, platformName, splitKey, t, toConversation, toMs, toTrace } from "weir-core";

const PAGE = 50;
const PASSED = ["platform", "account", "sla", "status"];

export default {
  components: { WAgo, WIcon },
  props: { query: Object },
  template: `
    <div class="page">
      <header class="page-head"><div><h1 class="w-h1">{{ t("nav.conversations") }}</h1><p class="w-sub">{{ subtitle }}</p></div></header>
      <form class="w-field find" role="search" @submit.prevent="search"><w-icon name="search" /><input ref="box" v-model="wanted" type="search" :placeholder="t('find.placeholder')" :aria-label="t('find.placeholder')" maxlength="200"></form>
      <section v-if="traces.length" class="w-card" :aria-label="t('find.messages')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("find.messages") }}</h2></div>
        <ul class="conv-rows"><li v-for="row in traces" :key="row.key"><a class="conv-row" :href="toTrace(row.key, row.message)">
          <span class="conv-face" aria-hidden="true"><w-icon name="activity" /></span>
          <span class="conv-main"><span class="conv-name"><b class="w-mono">{{ row.message }}</b><span class="w-meta">{{ place(row) }}</span></span><span class="conv-text">{{ row.text || t("find.no_text") }}</span></span>
          <span class="w-meta w-num"><w-ago :at="toMs(row.at)" /></span></a></li></ul>
      </section>
      <section class="w-card">
        <ul v-if="rows.length" class="conv-rows"><li v-for="row in rows" :key="row.key"><a class="conv-row" :href="toConversation(row.key)">
          <span class="conv-face" aria-hidden="true">{{ initial(row) }}</span>
          <span class="conv-main"><span class="conv-name"><b>{{ row.contact_name || row.contact_id || row.conversation }}</b><span class="w-meta">{{ channelName(row.platform, row.account) }}</span></span><span class="conv-text">{{ row.last_text || t("find.no_text") }}</span>
            <span class="conv-tags"><span v-if="row.sla === 'breached' || row.sla === 'at_risk'" class="w-pill" :class="row.sla === 'breached' ? 'is-red' : 'is-amber'">{{ t("sla." + row.sla) }}</span><span v-if="row.order" class="w-mono w-meta">{{ row.order }}</span><span v-if="row.vip" class="w-pill is-violet">VIP</span></span></span>
          <span class="w-meta w-num"><w-ago :at="toMs(row.last_at)" /></span></a></li></ul>
        <div v-else class="w-empty"><w-icon :name="error ? 'circle-alert' : 'search'" /><b>{{ error || t(loading ? "loading" : "find.none") }}</b><span v-if="!loading && !error">{{ t("find.none.help") }}</span></div>
        <button v-if="next && !loading" class="mx-more" type="button" @click="load">{{ t("more") }}</button>
      </section>
    </div>`,
  data() {
    return { wanted: this.query.q || "", q: this.query.q || "", rows: [], traces: [], next: "", loading: false, error: "" };
  },
  computed: {
    subtitle() {
      const { platform, sla } = this.query;
      const parts = [platform ? platformName(platform) : t("monitor.all_platforms")];
      if (sla === "at_risk" || sla === "breached") parts.push(t(`sla.${sla}`));
      return parts.join(" · ");
    },
  },
  created() {
    this.load();
    this.trace();
  },
  mounted() {
    if (!this.query.q && !this.query.sla && matchMedia("(min-width: 761px)").matches) this.$refs.box.focus();
  },
  methods: {
    t, channelName, toConversation, toMs, toTrace,
    place: (row) => channelName(...splitKey(row.key)),
    initial: (row) => [...String(row.contact_name || row.contact_id || row.conversation)][0].toUpperCase(),
    search() {
      this.q = this.wanted.trim();
      Object.assign(this, { rows: [], traces: [], next: "" });
      keepInAddress({ ...this.query, q: this.q });
      this.load();
      this.trace();
    },
    // What was typed may be the id of a message: its life is one click away.
    async trace() {
      const q = this.q;
      if (!q) return;
      const { platform, account } = this.query;
      try {
        const { items } = await ask(`/messages?${new URLSearchParams({ message: q })}`);
        const here = ({ key }) => [platform, account].every((wanted, part) => !wanted || wanted === splitKey(key)[part]);
        if (q === this.q) this.traces = items.filter(here);
      } catch (wrong) {
        if (q === this.q) this.error = wrong.message;
      }
    },
    async load() {
      const query = new URLSearchParams({ limit: PAGE });
      const q = this.q;
      for (const name of PASSED) if (this.query[name]) query.set(name, this.query[name]);
      if (q) query.set("q", q);
      if (this.next) query.set("cursor", this.next);
      Object.assign(this, { loading: true, error: "" });
      try {
        const found = await ask(`/conversations?${query}`);
        if (q !== this.q) return;
        this.rows = [...this.rows, ...found.items];
        this.next = found.next;
      } catch (wrong) {
        this.error = wrong.message;
      } finally {
        if (q === this.q) this.loading = false;
      }
    },
  },
};
