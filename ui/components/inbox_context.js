// Beside the open conversation: the customer's order, who they are, what was said on all channels, how this conversation fares.
import { ApiError, WIcon, WTypedActions, ask, inboxLive, inboxPlace, t, tn } from "weir-core";
import { Face } from "weir-inbox";
import { ContactDeeds, HealthTab, Identities, NoteBox, OrderCard, Parcels, PersonFacts, Spans, Spot, Suggestions, TagBox, clockOf } from "weir-context";

const TABS = ["order", "customer", "history", "health"];
const KEPT = "weir-inbox-context";
const SETTLE_MS = 1200;

export default {
  components: { Face, HealthTab, Identities, NoteBox, OrderCard, Parcels, PersonFacts, Spans, Spot, Suggestions, TagBox, WIcon, WTypedActions },
  mixins: [ContactDeeds],
  template: `
    <div class="ctx" :aria-busy="loading">
      <template v-if="told">
        <header class="ctx-head"><face :name="shownName" /><div class="ctx-head-who"><h2 class="ctx-head-name ctx-break"><bdi>{{ shownName }}</bdi></h2><p class="w-meta ctx-head-line"><spot v-for="one in told.identities.slice(0, 3)" :key="one.contact" :platform="one.platform" :account="one.account" /></p></div>
          <span v-if="clock" class="ctx-clock w-num" :title="t('ctx.local_time') + ' · ' + clock.place">{{ clock.time }}</span></header>
        <button v-if="told.suggestions.length && tab !== 'customer'" class="ctx-hint" type="button" @click="choose('customer')"><w-icon name="users" />{{ tn("ctx.same_n", told.suggestions.length) }}<w-icon name="chevron-right" /></button>
        <div class="w-seg ctx-tabs" role="tablist" :aria-label="t('inbox.context')" @keydown="move"><button v-for="one in tabs" :key="one" type="button" role="tab" :id="'ctx-tab-' + one" :aria-selected="tab === one ? 'true' : 'false'" aria-controls="ctx-panel" :tabindex="tab === one ? 0 : -1" @click="choose(one)">{{ t("ctx.tab." + one) }}<span v-if="figures[one]" class="n">{{ figures[one] }}</span></button></div>
        <div id="ctx-panel" class="ctx-panel" role="tabpanel" :aria-labelledby="'ctx-tab-' + tab">
          <template v-if="tab === 'order'">
            <order-card v-for="order in told.orders" :key="order.platform + '/' + order.account + '/' + order.id" :order="order" />
            <div v-if="!told.orders.length" class="w-empty"><w-icon name="package" /><b>{{ t("ctx.no_order") }}</b><span>{{ t("ctx.no_order.help") }}</span></div>
            <parcels :found="told.tracking" />
            <w-typed-actions :conversation="told.key" />
            <slot name="actions"></slot>
          </template>
          <template v-else-if="tab === 'customer'">
            <suggestions :found="told.suggestions" :merged="merged" :busy="busy" @merge="merge" @dismiss="dismiss" @apart="apart" />
            <section class="ctx-block"><person-facts :told="told" :now="live.now" /></section>
            <section class="ctx-block"><h3 class="ctx-title">{{ t("ctx.tags") }}</h3><tag-box :tags="told.tags" :busy="busy" @said="say" /></section>
            <section class="ctx-block"><h3 class="ctx-title">{{ t("ctx.note") }}</h3><note-box :note="told.contact.note" :busy="busy" @said="say" /><p v-for="(note, index) in otherNotes" :key="index" class="ctx-note-text w-sub">{{ note }}</p></section>
            <section class="ctx-block"><h3 class="ctx-title">{{ t("ctx.identities") }}</h3><identities :told="told" :busy="busy" @apart="apart" /></section>
          </template>
          <spans v-else-if="tab === 'history'" :items="history" :more="Boolean(next)" :busy="busy" @more="older" />
          <health-tab v-else :health="told.health" :here="told.key" />
        </div>
      </template>
      <div v-else class="w-empty"><w-icon :name="error ? 'circle-alert' : 'user'" /><b>{{ error || t("loading") }}</b><button v-if="error" class="w-btn" type="button" @click="read">{{ t("ctx.again") }}</button></div>
    </div>`,
  data: () => ({ live: inboxLive, place: inboxPlace, tabs: TABS, tab: TABS.includes(localStorage.getItem(KEPT)) ? localStorage.getItem(KEPT) : "order", history: [], next: null, loading: false, error: "" }),
  computed: {
    clock() {
      return clockOf(this.told.local_time, this.live.now);
    },
    figures() {
      const open = this.told.health.anomalies.filter((one) => one.status !== "resolved").length;
      return { order: this.told.orders.length, history: this.told.history.next ? `${this.history.length}+` : this.history.length, health: open, customer: 0 };
    },
    otherNotes() {
      return this.told.contact.notes.filter((note) => note !== this.told.contact.note);
    },
    // What changes when something was said in this conversation.
    mark() {
      const row = this.place.row;
      return row && row.key === this.place.key ? `${row.key} ${row.messages} ${row.last_at}` : "";
    },
  },
  watch: {
    "place.key": { immediate: true, handler: "opened" },
    mark(now, before) {
      if (!now || !before || now.split(" ")[0] !== before.split(" ")[0]) return;
      clearTimeout(this.settling);
      this.settling = setTimeout(this.read, SETTLE_MS);
    },
  },
  beforeUnmount() {
    clearTimeout(this.settling);
    if (this.asking) this.asking.abort();
  },
  methods: {
    t, tn,
    opened() {
      Object.assign(this, { told: null, history: [], next: null, merged: null, error: "" });
      this.read();
    },
    async read() {
      clearTimeout(this.settling);
      if (this.asking) this.asking.abort();
      const key = this.place.key;
      if (!key) return;
      const asking = (this.asking = new AbortController());
      this.loading = true;
      try {
        this.take(await ask(`/conversations/${encodeURIComponent(key)}/context`, asking.signal));
      } catch (wrong) {
        if (wrong.name === "AbortError" || key !== this.place.key) return;
        if (!(wrong instanceof ApiError)) throw wrong;
        if (!this.told) this.error = wrong.message;
      } finally {
        if (asking === this.asking) this.loading = false;
      }
    },
    take(told) {
      Object.assign(this, { told, history: told.history.items, next: told.history.next, error: "" });
      // The thread shows where the same person spoke elsewhere.
      window.dispatchEvent(new CustomEvent("weir-inbox-context", { detail: told }));
    },
    choose(tab) {
      this.tab = tab;
      localStorage.setItem(KEPT, tab);
    },
    move(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.choose(TABS[(TABS.indexOf(this.tab) + step + TABS.length) % TABS.length]);
      this.$nextTick(() => document.getElementById(`ctx-tab-${this.tab}`).focus());
    },
    renewed() {
      return this.read();
    },
    async older() {
      this.busy = true;
      try {
        const page = await ask(`/contacts/${encodeURIComponent(this.told.contact.id)}/history?limit=20&cursor=${encodeURIComponent(this.next)}`);
        this.history = [...this.history, ...page.items.map((one) => ({ ...one, here: one.key === this.told.key }))];
        this.next = page.next;
      } finally {
        this.busy = false;
      }
    },
  },
};
