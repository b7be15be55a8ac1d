// The inbox's frame: four panes side by side, one at a time on a phone; its keys, menus, bars and rings. Others draw what is in the panes.
import { WIcon, closeConversation, fieldOf, inboxLive, inboxPlace, isNarrow, showPane, startPlace, t, tellKey, tn, useInboxLive } from "weir-core";
import { InboxHelp, InboxMenu, act, alerts, clearSelection, desk, keyOf, menu, startAlerts, targets, undone } from "weir-inbox";

const FOLDS = "weir-inbox-folds";
const WIDE = matchMedia("(min-width: 1100px)");
const WORKS = ["resolve", "snooze", "assign", "take", "label"];
const TOLD = ["reply", "note", "template", "translation"];
const QUIET_MS = 900;

const folded = () => {
  try {
    return JSON.parse(localStorage.getItem(FOLDS)) || {};
  } catch {
    return {};
  }
};

export default {
  components: { InboxHelp, InboxMenu, WIcon },
  template: `
    <div class="ib" :class="classes" :data-line="live.state">
      <h1 class="w-sr">{{ t("nav.inbox") }}</h1>
      <div class="w-sr" aria-live="assertive" role="alert">{{ alerts.spoken }}</div>
      <div class="w-sr" aria-live="polite" role="status">{{ stateWords }}</div>
      <aside v-show="!folds.list || narrow" class="ib-list-pane" :aria-label="t('inbox.list')"><slot name="list"></slot></aside>
      <section class="ib-main-pane" :aria-label="t('inbox.conversation')">
        <div v-if="strip" class="ib-strip" :class="'is-' + strip.tone" role="status"><w-icon :name="strip.icon" /><span>{{ strip.text }}</span><button v-if="strip.act" class="w-btn is-quiet" type="button" @click="strip.act">{{ strip.label }}</button></div>
        <template v-if="place.key">
          <slot name="head"></slot>
          <div class="ib-thread"><slot name="thread"></slot></div>
          <div class="ib-composer"><slot name="composer"></slot></div>
        </template>
        <div v-else class="ib-none"><w-icon name="inbox" /><b>{{ t("inbox.none_open") }}</b><span>{{ t("inbox.none_open.help") }}</span><span class="ib-none-keys"><kbd class="w-kbd">J</kbd><kbd class="w-kbd">K</kbd><span>{{ t("inbox.hint.move") }}</span><kbd class="w-kbd">{{ "Enter" }}</kbd><span>{{ t("inbox.hint.open") }}</span><kbd class="w-kbd">?</kbd><span>{{ t("inbox.hint.keys") }}</span></span></div>
      </section>
      <aside v-if="place.key" v-show="contextShown" class="ib-context-pane" :class="{ 'is-drawer': !wide && !narrow }" :aria-label="t('inbox.context')">
        <div class="ib-context-bar"><button class="w-btn is-quiet is-icon" type="button" :title="t('close')" :aria-label="t('close')" @click="closeContext"><w-icon :name="narrow ? 'arrow-left' : 'x'" /></button><b>{{ t("inbox.context") }}</b></div>
        <slot name="context"></slot>
      </aside>
      <div v-if="drawer && !wide && !narrow" class="ib-scrim" @click="drawer = false"></div>
      <div v-if="desk.undo" class="ib-undo" role="status"><span>{{ desk.undo.text }}</span><button type="button" @click="undone">{{ t("inbox.undo") }}</button></div>
      <div v-if="desk.failed" class="w-scrim" @click.self="desk.failed = null" @keydown.esc.stop="desk.failed = null"><section ref="failed" class="w-dialog" role="dialog" aria-modal="true" tabindex="-1" :aria-label="t('inbox.failed')">
        <h2 class="w-h2">{{ t("inbox.failed") }}</h2><p class="w-sub">{{ t("inbox.bulk.part", { done: desk.failed.done, failed: desk.failed.items.length }) }}</p>
        <ul class="ib-failed"><li v-for="item in desk.failed.items" :key="item.key"><b><bdi>{{ item.name }}</bdi></b><span class="w-sub">{{ item.reason }}</span></li></ul>
        <div class="w-dialog-actions"><button class="w-btn is-primary" type="button" @click="desk.failed = null">{{ t("close") }}</button></div></section></div>
      <inbox-help v-if="help" @close="help = false" />
      <inbox-menu />
    </div>`,
  data: () => ({ alerts, desk, live: inboxLive, place: inboxPlace, folds: folded(), help: false, drawer: false, wide: WIDE.matches, narrow: isNarrow(), settled: false, away: null, cursor: "" }),
  computed: {
    classes() {
      return [`is-${this.place.key ? this.place.pane : "list"}`, { "is-open": this.place.key, "no-list": this.folds.list, "no-context": this.folds.context || !this.place.key }];
    },
    contextShown() {
      if (this.narrow) return this.place.pane === "context";
      return this.wide ? !this.folds.context : this.drawer;
    },
    stateWords() {
      return this.settled && this.live.state !== "current" ? t(`inbox.state.${this.live.state}`) : "";
    },
    strip() {
      const { state } = this.live;
      if (this.settled && state !== "current") return { tone: state === "offline" ? "red" : state === "polling" ? "amber" : "grey", icon: state === "offline" ? "circle-alert" : "refresh-cw", text: t(`inbox.state.${state}`) };
      if (this.away) return { tone: "accent", icon: "clock", text: this.away, label: t("close"), act: () => (this.away = null) };
      const { lost } = this.desk;
      if (lost && lost.key === this.place.key) return { tone: "amber", icon: "users", text: t("inbox.lost", { name: lost.who, time: new Date(lost.at).toLocaleTimeString(document.documentElement.lang) }), label: t("close"), act: () => (this.desk.lost = null) };
      return null;
    },
  },
  watch: {
    "live.state"(now) {
      clearTimeout(this.quiet);
      // What is over in a moment is nothing to speak of.
      if (now === "current") this.settled = true;
      else this.quiet = setTimeout(() => (this.settled = true), QUIET_MS);
      if (now === "current" && this.live.awaySince) this.back();
      this.keepUp();
    },
    "place.row": "keepUp",
    "place.key"() {
      this.drawer = false;
      this.desk.lost = this.desk.lost && this.desk.lost.key === this.place.key ? this.desk.lost : null;
    },
    "desk.failed"(now) {
      if (now) this.$nextTick(() => this.$refs.failed && this.$refs.failed.focus());
    },
  },
  created() {
    this.stops = [startPlace(), useInboxLive(), startAlerts()];
  },
  mounted() {
    document.documentElement.classList.add("is-inbox");
    this.quiet = setTimeout(() => (this.settled = true), QUIET_MS);
    this.sized = () => Object.assign(this, { wide: WIDE.matches, narrow: isNarrow() });
    this.cursed = ({ detail }) => (this.cursor = detail.key);
    this.asked = ({ detail }) => detail.id === "context" && this.fold("context");
    document.addEventListener("keydown", this.key);
    window.addEventListener("weir-inbox-key", this.asked);
    window.addEventListener("resize", this.sized);
    window.addEventListener("weir-inbox-cursor", this.cursed);
  },
  unmounted() {
    document.documentElement.classList.remove("is-inbox");
    clearTimeout(this.quiet);
    for (const stop of this.stops) stop();
    document.removeEventListener("keydown", this.key);
    window.removeEventListener("weir-inbox-key", this.asked);
    window.removeEventListener("resize", this.sized);
    window.removeEventListener("weir-inbox-cursor", this.cursed);
  },
  methods: {
    t, undone,
    // What came while nobody told: of the open conversation by its messages, else by conversations.
    back() {
      // An absence is told of once, however often the line is put in order after it.
      if (this.toldOf === this.live.awaySince) return;
      this.toldOf = this.live.awaySince;
      const row = this.place.row;
      const more = this.was && row && this.was.key === row.key ? row.messages - this.was.messages : 0;
      if (more > 0) this.away = tn("inbox.away", more);
      else if (this.live.missed) this.away = tn("inbox.away_rows", this.live.missed);
    },
    // How much of the open conversation was there while the line was whole.
    keepUp() {
      const { row } = this.place;
      if (this.live.state === "current") this.was = row ? { key: row.key, messages: row.messages } : null;
    },
    closeContext() {
      if (this.narrow) showPane("thread");
      else if (this.wide) this.fold("context");
      else this.drawer = false;
    },
    fold(side) {
      if (side === "context" && this.narrow) return showPane(this.place.pane === "context" ? "thread" : "context");
      if (side === "context" && !this.wide) return (this.drawer = !this.drawer);
      this.folds = { ...this.folds, [side]: !this.folds[side] };
      localStorage.setItem(FOLDS, JSON.stringify(this.folds));
    },
    // Nothing fires while somebody types, or while something lies on top.
    key(event) {
      if (event.defaultPrevented || menu.open || this.help || document.querySelector(".w-scrim, .rail-menu")) return;
      const target = event.target;
      if (fieldOf(target)) {
        if (event.key === "Escape" && !event.isComposing) target.blur();
        return;
      }
      // Enter and arrows belong to what has the focus, other than the list and the page itself.
      const inList = target === document.body || target.id === "main" || Boolean(target.closest && target.closest(".ib-rows"));
      const entry = keyOf(event);
      if (!entry || entry.told) return;
      if (entry.at === "list" && !inList && (event.key.length > 1 || event.ctrlKey || event.metaKey)) return;
      if (entry.at === "open" && !this.place.key) return;
      event.preventDefault();
      this.does(entry);
    },
    does({ id, at }) {
      if (at === "list") return tellKey(id);
      if (TOLD.includes(id)) {
        if (this.narrow) showPane("thread");
        return tellKey(id);
      }
      if (WORKS.includes(id)) return this.work(id);
      const moves = { fold_list: () => this.fold("list"), fold_context: () => this.place.key && this.fold("context"), help: () => (this.help = true), close: () => this.close() };
      moves[id]();
    },
    async work(id) {
      const keys = targets(this.cursor);
      const hidden = await act(id, keys);
      if (hidden && keys.length === 1) tellKey("next_after");
    },
    close() {
      if (this.drawer) this.drawer = false;
      else if (this.desk.checked.size) clearSelection();
      else if (this.desk.undo) this.desk.undo = null;
      else if (this.place.pane === "context" && this.narrow) showPane("thread");
      else if (this.place.key) closeConversation();
    },
  },
};
