// Every customer, found by channel, tag, worth or words; and one of them, with orders and everything that was said on all channels.
import { ApiError, WAgo, WIcon, WLinked, ask, channelName, inboxAddress, inboxLive, keepInAddress, moment, platformName, t, tn, toMs, useInboxLive } from "weir-core";
import { Face, PlatformMark } from "weir-inbox";
import { ContactDeeds, Identities, NoteBox, OrderCard, PersonFacts, Spans, Spot, Suggestions, TagBox, money, nameOf } from "weir-context";

const PAGE = 50;
const FILTERS = ["q", "platform", "tag", "spent_from", "currency"];
const PLATFORMS = ["aliexpress", "amazon", "ebay", "email", "instagram", "lazada", "line", "mercadolibre", "messenger", "shopee", "shopify", "telegram", "tiktok", "webchat", "webhook", "whatsapp", "woocommerce"];

export default {
  components: { Face, Identities, NoteBox, OrderCard, PersonFacts, PlatformMark, Spans, Spot, Suggestions, TagBox, WAgo, WIcon, WLinked },
  mixins: [ContactDeeds],
  props: { query: Object },
  template: `
    <div class="cust" :class="{ 'is-one': chosen }">
      <section class="cust-list" :aria-label="t('customers.title')">
        <header class="cust-head"><h1 class="w-h1">{{ t("customers.title") }}</h1>
          <form class="cust-filters" role="search" @submit.prevent="search">
            <label class="w-field cust-q"><w-icon name="search" /><input v-model="where.q" type="search" maxlength="200" :placeholder="t('customers.find')" @keydown.enter.prevent="search" :aria-label="t('customers.find')"></label>
            <label class="w-field"><select v-model="where.platform" :aria-label="t('customers.platform')" @change="search"><option value="">{{ t("monitor.all_platforms") }}</option><option v-for="one in platforms" :key="one" :value="one">{{ platformName(one) }}</option></select></label>
            <label class="w-field"><w-icon name="tag" /><input v-model="where.tag" maxlength="50" :placeholder="t('customers.tag')" @keydown.enter.prevent="search" :aria-label="t('customers.tag')" @change="search"></label>
            <label class="w-field"><input v-model="where.spent_from" inputmode="decimal" maxlength="40" autocomplete="off" :placeholder="t('customers.amount')" @keydown.enter.prevent="search" :aria-label="t('customers.amount')" @change="search"></label>
            <label class="w-field cust-currency"><input v-model="where.currency" maxlength="3" pattern="[A-Za-z]{3}" :placeholder="t('customers.currency')" @keydown.enter.prevent="search" :aria-label="t('customers.currency')" @change="search"></label>
          </form></header>
        <ul v-if="rows.length" class="cust-rows"><li v-for="row in rows" :key="row.id"><a class="cust-row" :href="to(row.id)" :aria-current="chosen === row.id ? 'true' : undefined" @click="open($event, row.id)">
          <face :name="rowName(row)" /><span class="cust-main"><span class="cust-top"><bdi class="cust-name ib-cut">{{ rowName(row) }}</bdi><span class="w-meta"><w-ago :at="toMs(row.seen_at)" /></span></span>
            <span class="cust-marks"><platform-mark v-for="one in row.identities.slice(0, 5)" :key="one.contact" :platform="one.platform" /><span v-for="one in row.value" :key="one.currency" class="w-num w-meta">{{ money(one.total, one.currency) }}</span><span v-for="tag in row.tags.slice(0, 3)" :key="tag" class="w-pill"><bdi class="ib-cut">{{ tag }}</bdi></span></span></span></a></li>
          <li v-if="next"><button class="w-btn ctx-more-btn" type="button" :disabled="loading" @click="load">{{ t("ctx.more") }}</button></li></ul>
        <div v-else class="w-empty"><w-icon :name="error ? 'circle-alert' : 'users'" /><b>{{ error || t(loading ? "loading" : "customers.empty") }}</b><span v-if="!loading && !error">{{ t("customers.empty.help") }}</span></div>
      </section>
      <section class="cust-one" :aria-label="t('ctx.tab.customer')" :aria-busy="reading">
        <template v-if="told">
          <header class="cust-one-head"><button class="w-btn is-quiet is-icon cust-back" type="button" :aria-label="t('customers.back')" @click="close"><w-icon name="arrow-left" /></button><face :name="shownName" /><h2 class="w-h1 ctx-break"><bdi>{{ shownName }}</bdi></h2></header>
          <div class="cust-cols"><div class="cust-col">
            <suggestions v-if="told.suggestions.length || merged" :found="told.suggestions" :merged="merged" :busy="busy" @merge="merge" @dismiss="dismiss" @apart="apart" />
            <section class="w-card ctx-block"><person-facts :told="told" :now="live.now" /></section>
            <section class="w-card ctx-block"><h3 class="ctx-title">{{ t("ctx.tags") }}</h3><tag-box :tags="told.tags" :busy="busy" @said="say" /></section>
            <section class="w-card ctx-block"><h3 class="ctx-title">{{ t("ctx.note") }}</h3><note-box :note="told.contact.note" :busy="busy" @said="say" /></section>
            <section class="w-card ctx-block"><h3 class="ctx-title">{{ t("ctx.identities") }}</h3><identities :told="told" :busy="busy" @apart="apart" /></section>
            <order-card v-for="order in told.orders" :key="order.platform + '/' + order.account + '/' + order.id" :order="order" />
          </div><div class="cust-col">
            <section class="w-card ctx-block"><h3 class="ctx-title">{{ t("ctx.tab.history") }}</h3><spans :items="told.history.items" :more="false" /></section>
            <section class="w-card ctx-block"><h3 class="ctx-title">{{ t("customers.timeline") }}</h3>
              <ol class="cust-time"><template v-for="(one, index) in messages" :key="one.key + one.message"><li v-if="!index || messages[index - 1].key !== one.key" class="cust-divider"><a class="w-link" :href="inConversation(one)"><spot :platform="one.platform" :account="one.account" /></a></li>
                <li class="cust-said" :class="'is-' + one.direction"><p class="cust-text"><w-linked :text="one.text || t('ctx.no_text')" :links="one.links" /></p><a class="w-meta" :href="inConversation(one)"><bdi>{{ one.sender_name || t("thread." + one.direction) }}</bdi> · <span class="w-num">{{ moment(toMs(one.sent_at)) }}</span></a></li></template></ol>
              <p v-if="!messages.length && !reading" class="w-meta">{{ t("customers.timeline.empty") }}</p>
              <button v-if="older" class="w-btn ctx-more-btn" type="button" :disabled="reading" @click="timeline">{{ t("ctx.more") }}</button></section>
          </div></div>
        </template>
        <div v-else class="w-empty cust-none"><w-icon :name="wrong ? 'circle-alert' : 'user'" /><b>{{ wrong || t(chosen ? "loading" : "customers.none") }}</b><span v-if="!chosen">{{ t("customers.none.help") }}</span><button v-if="wrong" class="w-btn cust-back" type="button" @click="close">{{ t("customers.back") }}</button></div>
      </section>
    </div>`,
  data() {
    const where = Object.fromEntries(FILTERS.map((name) => [name, this.query[name] || ""]));
    return { live: inboxLive, platforms: PLATFORMS, where, rows: [], next: "", loading: false, error: "", chosen: this.query.contact || "", messages: [], older: "", reading: false, wrong: "" };
  },
  created() {
    this.stop = useInboxLive();
    this.load();
    if (this.chosen) this.read();
  },
  beforeUnmount() {
    this.stop();
  },
  methods: {
    t, tn, money, moment, platformName, channelName, toMs,
    rowName: (row) => row.name || nameOf(row.identities[0]),
    inConversation: (one) => inboxAddress({ key: one.key, message: one.message }),
    asked() {
      return Object.fromEntries(Object.entries(this.where).map(([name, value]) => [name, String(value).trim()]).filter(([name, value]) => value && (name !== "currency" || /^[A-Za-z]{3}$/.test(value))).map(([name, value]) => [name, name === "currency" ? value.toUpperCase() : value]));
    },
    to(contact) {
      return `/customers?${new URLSearchParams({ ...this.asked(), contact })}`;
    },
    open(event, contact) {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      Object.assign(this, { chosen: contact, told: null, messages: [], older: "", merged: null, wrong: "" });
      keepInAddress({ ...this.asked(), contact });
      this.read();
    },
    close() {
      Object.assign(this, { chosen: "", told: null, messages: [], wrong: "" });
      keepInAddress(this.asked());
    },
    search() {
      Object.assign(this, { rows: [], next: "" });
      keepInAddress({ ...this.asked(), contact: this.chosen });
      this.load();
    },
    async load() {
      const turn = (this.turn = {});
      this.loading = true;
      this.error = "";
      try {
        const page = await ask(`/contacts?${new URLSearchParams({ ...this.asked(), limit: PAGE, ...(this.next ? { cursor: this.next } : {}) })}`);
        if (turn !== this.turn) return;
        const known = new Set(this.rows.map((row) => row.id));
        this.rows = [...this.rows, ...page.items.filter((row) => !known.has(row.id))];
        this.next = page.next || "";
      } catch (problem) {
        if (!(problem instanceof ApiError)) throw problem;
        if (turn === this.turn) this.error = problem.message;
      } finally {
        if (turn === this.turn) this.loading = false;
      }
    },
    place() {
      return `/contacts/${encodeURIComponent(this.told ? this.told.contact.id : this.chosen)}`;
    },
    async read() {
      const contact = this.chosen;
      this.reading = true;
      try {
        const told = await ask(this.place());
        if (contact !== this.chosen) return;
        this.told = told;
        Object.assign(this, { messages: [], older: "" });
        await this.timeline();
      } catch (problem) {
        if (!(problem instanceof ApiError)) throw problem;
        if (contact === this.chosen) this.wrong = problem.message;
      } finally {
        if (contact === this.chosen) this.reading = false;
      }
    },
    async timeline() {
      const contact = this.chosen;
      const page = await ask(`${this.place()}/timeline?limit=${PAGE}${this.older ? `&cursor=${encodeURIComponent(this.older)}` : ""}`);
      if (contact !== this.chosen) return;
      this.messages = [...this.messages, ...page.items];
      this.older = page.next || "";
    },
    async renewed() {
      await this.read();
      this.search();
    },
  },
};
