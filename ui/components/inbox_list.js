// The list of conversations: tabs, filters, saved views, and rows without end, of which only those in sight exist.
import { INBOX_SORTS, WIcon, ask, chooseList, closeConversation, inboxLive, inboxPlace, isNarrow, labelName, loadLabels, number, openConversation, send, t, tell, tn, toast } from "weir-core";
import { DueChip, Face, Glyphs, PlatformMark, Rows, act, alerts, askPermission, chooseFilter, clearSelection, desk, edgeOf, filterWords, isOld, openMenu, select, selection, startDesk } from "weir-inbox";

const ROW = 84;
const OVER = 6;
const SETTLE_LEAST_MS = 500;
const SETTLE_MOST_MS = 10_000;
const SETTLE_TIMES = 20;
const SCROLLED_MS = 60;
const SHOWN_TABS = ["mine", "team", "unassigned", "at_risk", "all"];
const OTHER_TABS = ["snoozed", "closed", "archived"];
const MOST_LABELS = 2;
const MOST_MARKED = 500;
const ORDERED = { due: ["sla", "sla_due_at"], newest: ["last_at"], oldest: ["last_at"], value: ["value"] };
const PLACED = ["assignee", "team", "status", "archived", "snoozed_until"];

export default {
  components: { DueChip, Face, Glyphs, PlatformMark, WIcon },
  template: `
    <div class="ib-list" @pointerenter="over = true" @pointerleave="over = false">
      <header class="ib-list-head">
        <form class="ib-find" role="search" @submit.prevent="find"><label class="w-field"><w-icon name="search" /><input v-model="typed" type="search" :placeholder="t('inbox.find')" :aria-label="t('inbox.find')" maxlength="200" @input="typed || find()"></label>
          <button class="w-btn is-icon" type="button" :title="t('inbox.filter')" :aria-label="t('inbox.filter')" :class="{ 'is-on': chips.length }" @click="chooseFilter"><w-icon name="list-filter" /></button>
          <button class="w-btn is-icon" type="button" :title="sortWords" :aria-label="sortWords" @click="sort"><w-icon name="arrow-down-up" /></button>
          <button class="w-btn is-icon" type="button" :title="t('inbox.views')" :aria-label="t('inbox.views')" @click="views"><w-icon name="bookmark" /></button></form>
        <div class="ib-tabs"><div class="ib-tabs-row" role="tablist" :aria-label="t('inbox.tabs')" @keydown="turn"><button v-for="tab in SHOWN_TABS" :key="tab" class="ib-tab" type="button" role="tab" :aria-selected="place.tab === tab" aria-controls="ib-rows" :tabindex="place.tab === tab || (tab === 'mine' && !SHOWN_TABS.includes(place.tab)) ? 0 : -1" @click="choose(tab)"><b class="w-num" :class="{ 'is-hot': tab === 'at_risk' && count(tab) }">{{ count(tab) === null ? "–" : short(count(tab)) }}</b><span>{{ t("inbox.tab." + tab) }}</span></button></div>
          <button class="ib-tab ib-tab-more" type="button" :aria-label="t('inbox.tab.more')" :title="t('inbox.tab.more')" :class="{ 'is-on': !SHOWN_TABS.includes(place.tab) }" @click="others"><w-icon name="ellipsis" /></button></div>
        <ul v-if="chips.length || !SHOWN_TABS.includes(place.tab)" class="ib-chips" :aria-label="t('inbox.filters')"><li v-if="!SHOWN_TABS.includes(place.tab)"><button class="ib-chip" type="button" @click="choose('mine')"><span>{{ t("inbox.tab." + place.tab) }}</span><w-icon name="x" /><span class="w-sr">{{ t("inbox.unfilter") }}</span></button></li>
          <li v-for="chip in chips" :key="chip.field"><button class="ib-chip" type="button" @click="drop(chip.field)"><span class="ib-cut"><bdi>{{ chip.words }}</bdi></span><w-icon name="x" /><span class="w-sr">{{ t("inbox.unfilter") }}</span></button></li>
          <li v-if="chips.length > 1"><button class="ib-chip is-plain" type="button" @click="dropAll">{{ t("inbox.unfilter_all") }}</button></li></ul>
        <div v-if="alerts.allowed === 'default' && !asked" class="ib-ask"><w-icon name="bell" /><span>{{ t("inbox.alert.ask") }}</span><button class="w-btn is-primary" type="button" @click="allow">{{ t("inbox.alert.allow") }}</button><button class="w-btn is-quiet is-icon" type="button" :aria-label="t('close')" @click="later"><w-icon name="x" /></button></div>
      </header>
      <div class="ib-rows-box">
        <div id="ib-rows" ref="box" class="ib-rows" role="listbox" aria-multiselectable="true" :aria-label="t('inbox.tab.' + place.tab)" :aria-activedescendant="cursorId" :aria-busy="total === null" tabindex="0" @scroll.passive="scrolled" @touchstart.passive="held = true" @touchend.passive="held = false" @touchcancel.passive="held = false">
          <div class="ib-rows-all" role="presentation" :style="{ height: height + 'px' }">
            <div v-for="item in shown" :id="'ib-row-' + item.index" :key="item.index % pool" v-memo="[item.row, item.index, item.edge, item.look, total, live.now]" class="ib-row" role="option" :aria-selected="item.row ? desk.checked.has(item.row.key) : false" :aria-setsize="total || -1" :aria-posinset="item.index + 1" :aria-current="item.row && item.row.key === place.key ? 'true' : undefined" :class="item.look" :style="{ transform: 'translateY(' + item.index * ROW + 'px)' }" @click="pressed(item, $event)">
              <template v-if="item.row"><i v-if="item.edge" class="ib-edge" :class="'is-' + item.edge" aria-hidden="true"></i>
                <span class="ib-row-face" @click.stop="toggle(item)"><face :name="nameOf(item.row)" /><span class="ib-tick" aria-hidden="true"><w-icon v-if="desk.checked.has(item.row.key)" name="check" /></span></span>
                <span class="ib-row-main"><span class="ib-line1"><platform-mark :platform="item.row.platform" /><b class="ib-name"><bdi>{{ nameOf(item.row) }}</bdi></b><span v-if="item.row.vip" class="ib-vip">VIP</span><due-chip :row="item.row" :now="live.now" /></span>
                  <span class="ib-line2"><span class="ib-preview"><span v-if="item.row.last_direction === 'out'" class="ib-you">{{ t("inbox.you") }} </span><bdi>{{ item.row.last_text || t("find.no_text") }}</bdi></span><span v-if="item.row.unread" class="ib-unread w-num">{{ item.row.unread > 99 ? "99+" : item.row.unread }}<span class="w-sr"> {{ t("inbox.unread") }}</span></span></span>
                  <span class="ib-line3"><bdi v-if="item.row.order" class="w-mono ib-order">{{ item.row.order }}</bdi><span v-for="label in (item.row.labels || []).slice(0, MOST_LABELS)" :key="label" class="ib-label"><bdi>{{ labelName(label) }}</bdi></span><span v-if="(item.row.labels || []).length > MOST_LABELS" class="ib-label is-plain">+{{ item.row.labels.length - MOST_LABELS }}</span><span v-if="langOf(item.row)" class="ib-lang">{{ langOf(item.row) }}</span><span v-if="item.row.sensitive" class="ib-glyph is-amber" :title="t('inbox.filter.sensitive')"><w-icon name="shield" /><span class="w-sr">{{ t("inbox.filter.sensitive") }}</span></span><glyphs :troubles="item.row.troubles" /><span v-if="item.row.assignee" class="ib-who" :title="item.row.assignee"><face :name="item.row.assignee" size="xs" plain /><span class="w-sr">{{ t("inbox.assigned_to", { name: item.row.assignee }) }}</span></span></span></span>
              </template><template v-else><span class="ib-bone is-face"></span><span class="ib-row-main"><span class="ib-bone is-a"></span><span class="ib-bone is-b"></span><span class="ib-bone is-c"></span></span></template>
            </div>
          </div>
        </div>
        <div v-if="total === 0" class="w-empty ib-empty"><w-icon :name="emptyIcon" /><b>{{ t(chips.length ? "inbox.empty.filter" : "inbox.empty." + place.tab) }}</b><span>{{ t(chips.length ? "inbox.empty.filter.help" : "inbox.empty." + place.tab + ".help") }}</span><button v-if="chips.length" class="w-btn" type="button" @click="dropAll">{{ t("inbox.unfilter_all") }}</button></div>
        <div v-if="error" class="ib-error" role="alert"><w-icon name="circle-alert" /><span>{{ error }}</span><button class="w-btn" type="button" @click="again">{{ t("error.retry") }}</button></div>
      </div>
      <button v-if="stale && (over || held || away)" class="ib-pill" type="button" @click="renew(true)"><w-icon name="refresh-cw" />{{ tn("inbox.stale", stale) }}</button>
      <div v-if="checked || desk.busy" class="ib-bulk" role="region" :aria-label="t('inbox.bulk')"><template v-if="desk.busy"><progress class="ib-progress" :max="desk.busy.total" :value="desk.busy.done" :aria-label="t('inbox.bulk')"></progress><span class="w-num">{{ t("inbox.bulk.progress", { done: desk.busy.done, total: desk.busy.total }) }}</span></template>
        <template v-else><b class="w-num">{{ tn("inbox.selected", checked) }}</b><button v-for="one in BULK" :key="one.id" class="w-btn is-quiet is-icon" type="button" :title="t('inbox.key.' + one.id)" :aria-label="t('inbox.key.' + one.id)" @click="bulk(one.id)"><w-icon :name="one.icon" /></button><button class="w-btn is-quiet is-icon" type="button" :title="t('inbox.unselect')" :aria-label="t('inbox.unselect')" @click="clearSelection"><w-icon name="x" /></button></template></div>
      <div v-else class="ib-foot"><span class="w-num" role="status">{{ total === null ? t("loading") : tn("inbox.total", total) }}</span><span class="ib-foot-keys" aria-hidden="true"><kbd class="w-kbd">J</kbd><kbd class="w-kbd">K</kbd><span>{{ t("inbox.hint.move") }}</span><kbd class="w-kbd">?</kbd><span>{{ t("inbox.hint.keys") }}</span></span></div>
    </div>`,
  data: () => ({
    SHOWN_TABS, MOST_LABELS, ROW, live: inboxLive, place: inboxPlace, desk, alerts,
    BULK: [{ id: "assign", icon: "users" }, { id: "label", icon: "tag" }, { id: "snooze", icon: "alarm-clock" }, { id: "resolve", icon: "check" }, { id: "archive", icon: "archive" }],
    // `rev` grows when rows change: they are no reactive objects. `cursor` is where the keys are; `anchor` where a span of selected rows begins.
    rev: 0, total: null, error: "", top: 0, tall: 600, cursor: -1, anchor: -1, over: false, held: false, away: false, stale: 0, typed: "", asked: false, cursed: false,
  }),
  computed: {
    checked() {
      return this.desk.checked.size;
    },
    height() {
      return (this.total === null ? 12 : this.total) * ROW;
    },
    span() {
      const first = Math.max(0, Math.floor(this.top / ROW) - OVER);
      return [first, Math.min((this.total === null ? 12 : this.total) - 1, first + Math.ceil(this.tall / ROW) + 2 * OVER)];
    },
    // Rows that leave on one side come in again on the other: a row that is drawn anew costs four times as much.
    pool() {
      return Math.ceil(this.tall / ROW) + 2 * OVER + 2;
    },
    shown() {
      // rev, and the clock of whole seconds for the edges
      void this.rev;
      const now = this.live.now, found = [];
      for (let index = this.span[0]; index <= this.span[1]; index++) {
        const row = this.rows.at(index);
        const edge = row ? edgeOf(row, now) : "";
        found.push({ index, row, edge, look: this.lookOf(index, row) });
      }
      return found;
    },
    cursorId() {
      return this.cursor >= 0 ? `ib-row-${this.cursor}` : undefined;
    },
    chips() {
      return Object.entries(this.place.filters).map(([field, value]) => ({ field, words: filterWords(field, value) }));
    },
    sortWords() {
      return `${t("inbox.sort")}: ${t(`inbox.sort.${this.place.sort}`)}`;
    },
    emptyIcon() {
      return this.chips.length ? "list-filter" : this.place.tab === "all" ? "inbox" : "circle-check";
    },
    wish() {
      const { tab, sort, filters } = this.place;
      return new URLSearchParams({ tab, sort, ...filters }).toString();
    },
  },
  watch: {
    wish() {
      this.open();
    },
    "place.filters": { immediate: true, handler(filters) { this.typed = filters.q || ""; } },
    "place.key"(key) {
      this.watch();
      const index = key ? this.rows.indexOf(key) : -1;
      if (index >= 0) this.point(index, false);
    },
    over(now) {
      if (!now) this.settle();
    },
    held(now) {
      if (!now) this.settle();
    },
  },
  created() {
    this.lost = new Set();
    this.renewedAt = 0;
    this.answered = 0;
    this.rows = new Rows(() => this.changed());
    this.asked = localStorage.getItem("weir-alerts-asked") === "later";
    this.stops = [startDesk((key) => this.rowOf(key), (row) => this.took(row, true)), inboxLive.onRows((rows) => rows.forEach((row) => this.took(row, false))), inboxLive.onGone((keys) => this.vanished(keys)), inboxLive.onFresh(() => this.moved()), inboxLive.onReset(() => this.renew(true))];
    this.open();
  },
  mounted() {
    loadLabels();
    this.sizes = new ResizeObserver(([entry]) => (this.tall = entry.contentRect.height));
    this.sizes.observe(this.$refs.box);
    this.keyed = ({ detail }) => this.does(detail.id);
    window.addEventListener("weir-inbox-key", this.keyed);
    this.timer = setInterval(() => this.settle(), 250);
  },
  unmounted() {
    for (const stop of this.stops) stop();
    this.rows.giveUp();
    this.sizes.disconnect();
    clearInterval(this.timer);
    clearTimeout(this.watching);
    clearTimeout(this.scrolling);
    cancelAnimationFrame(this.resting);
    window.removeEventListener("weir-inbox-key", this.keyed);
  },
  methods: {
    t, tn, labelName, chooseFilter, clearSelection,
    short: (count) => (count > 9999 ? `${Math.floor(count / 1000)}k` : number(count)),
    lookOf(index, row) {
      if (!row) return "is-bone";
      const looks = { "is-here": row.key === this.place.key, "is-cursor": index === this.cursor && this.cursed, "is-checked": this.desk.checked.has(row.key), "is-unread": row.unread, "is-gone": this.lost.has(row.key) };
      return Object.keys(looks).filter((look) => looks[look]).join(" ");
    },
    nameOf: (row) => row.contact_name || row.contact_id || row.conversation,
    langOf: (row) => (row.lang || row.guessed_lang || "").slice(0, 2).toUpperCase(),
    count(tab) {
      const counts = this.live.counts || (void this.rev, this.rows.counts);
      return counts && counts[tab] !== undefined ? counts[tab] : null;
    },
    rowOf(key) {
      const index = this.rows.indexOf(key);
      return index < 0 ? null : this.rows.at(index);
    },
    open() {
      Object.assign(this, { cursor: -1, anchor: -1, stale: 0, top: 0, error: "" });
      this.lost.clear();
      clearSelection();
      if (this.$refs.box) this.$refs.box.scrollTop = 0;
      this.renewedAt = Date.now();
      this.rows.open(this.wish);
    },
    // The rows held have changed: draw, and let the server know what is in sight.
    changed() {
      this.rev += 1;
      this.total = this.rows.total;
      this.error = this.rows.error ? this.rows.error.message : "";
      const { key } = this.place;
      const index = key ? this.rows.indexOf(key) : -1;
      if (index >= 0) {
        const row = this.rows.at(index);
        if (!this.place.row || (this.place.row.key === key && !isOld(row, this.place.row))) this.place.row = row;
        if (this.cursor < 0) this.cursor = index;
      }
      this.watch();
    },
    watch() {
      clearTimeout(this.watching);
      this.watching = setTimeout(() => {
        const keys = [];
        for (let index = this.span[0]; index <= this.span[1]; index++) if (this.rows.at(index)) keys.push(this.rows.at(index).key);
        inboxLive.watch(keys, this.place.key);
      }, 120);
    },
    scrolled() {
      this.top = this.$refs.box.scrollTop;
      this.away = this.top > ROW;
      clearTimeout(this.scrolling);
      cancelAnimationFrame(this.resting);
      const missing = this.span[0] >= 0 && (!this.rows.at(this.span[0]) || !this.rows.at(this.span[1]));
      if (missing) this.scrolling = setTimeout(this.rest, SCROLLED_MS);
      else this.rows.need(...this.span);
      this.watch();
    },
    // While it flies by nothing is fetched: what is wanted is where it comes to rest. On a busy machine a frame takes longer than
    // the timer, so the next one is waited for as well.
    rest() {
      const fetch = () => this.rows.need(...this.span);
      this.resting = requestAnimationFrame(() => (this.resting = requestAnimationFrame(fetch)));
    },
    // One row has changed: it is drawn where it stands. Where it belongs now is another matter, and waits.
    took(row, own) {
      const before = this.rowOf(row.key);
      if (isOld(row, before)) return;
      this.lost.delete(row.key);
      if (this.place.key === row.key && !isOld(row, this.place.row)) this.place.row = row;
      if (!before) return own && this.moved();
      this.rows.put(row);
      const differs = (names) => names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(row[name]));
      if (differs(PLACED) || differs(ORDERED[this.place.sort])) this.moved();
      if (own) this.renewedAt = 0;
      this.rev += 1;
    },
    vanished(keys) {
      for (const key of keys) if (this.rows.indexOf(key) >= 0) this.lost.add(key);
      this.rev += 1;
      this.moved();
    },
    moved() {
      this.stale += 1;
    },
    // Never under somebody's pointer or finger; and the slower the server answers, the seldomer: many lists are open.
    settle() {
      const pause = Math.min(SETTLE_MOST_MS, Math.max(SETTLE_LEAST_MS, SETTLE_TIMES * this.answered));
      if (!this.stale || this.over || this.held || this.away || document.hidden || Date.now() - this.renewedAt < pause) return;
      this.renew(false);
    },
    async renew(asked) {
      const before = this.stale;
      const began = (this.renewedAt = Date.now());
      const key = this.cursor >= 0 && this.rows.at(this.cursor) ? this.rows.at(this.cursor).key : null;
      if (asked && this.away && this.$refs.box) this.$refs.box.scrollTop = 0;
      const [first, last] = asked ? [0, this.span[1] - this.span[0]] : this.span;
      // Whose pointer came meanwhile finds every row where it was.
      const done = await this.rows.renew(first, last, () => asked || !(this.over || this.held));
      this.answered = Date.now() - began;
      if (!done) return;
      this.stale = Math.max(0, this.stale - before);
      inboxLive.fresh = 0;
      this.lost.clear();
      this.rows.need(...this.span);
      this.cursor = key ? this.rows.indexOf(key) : -1;
      this.rev += 1;
    },
    again() {
      this.rows.error = null;
      this.rows.need(...this.span);
      if (this.total === null) this.rows.open(this.wish);
    },
    choose(tab) {
      chooseList({ tab });
    },
    turn(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const here = Math.max(0, SHOWN_TABS.indexOf(this.place.tab));
      const next = SHOWN_TABS[(here + step + SHOWN_TABS.length) % SHOWN_TABS.length];
      this.choose(next);
      this.$nextTick(() => event.currentTarget && event.currentTarget.querySelector("[aria-selected=true]").focus());
    },
    async others() {
      const chosen = await openMenu({ title: t("inbox.tab.more"), options: OTHER_TABS.map((tab) => ({ id: tab, label: t(`inbox.tab.${tab}`), icon: { snoozed: "alarm-clock", closed: "circle-check", archived: "archive" }[tab], hint: this.count(tab) === null ? "" : number(this.count(tab)) })) });
      if (chosen) this.choose(chosen);
    },
    async sort() {
      const chosen = await openMenu({ title: t("inbox.sort"), options: INBOX_SORTS.map((one) => ({ id: one, label: t(`inbox.sort.${one}`), icon: one === this.place.sort ? "check" : "arrow-down-up" })) });
      if (chosen) chooseList({ sort: chosen });
    },
    find() {
      const q = this.typed.trim();
      if (q === (this.place.filters.q || "")) return;
      const { q: _old, ...rest } = this.place.filters;
      chooseList({ filters: q ? { ...rest, q } : rest });
    },
    drop(field) {
      const { [field]: _gone, ...rest } = this.place.filters;
      if (field === "platform") delete rest.account;
      chooseList({ filters: rest });
    },
    dropAll() {
      chooseList({ filters: {} });
    },
    async views() {
      try {
        const asked = ask("/inbox/views").then(({ items }) => [items, items.find((view) => new URLSearchParams({ tab: "mine", sort: "due", ...view.query }).toString() === this.wish)]);
        const chosen = await openMenu({ title: t("inbox.views"), options: asked.then(([items, fits]) => this.viewOptions(items, fits)) });
        if (chosen) await this.viewed(chosen, ...(await asked));
      } catch (wrong) {
        toast(wrong.message, "error");
      }
    },
    viewOptions(items, fits) {
      const options = items.map((view) => ({ id: `view ${view.id}`, label: view.name, icon: "bookmark", hint: view.mine ? (view.shared ? t("inbox.view.shared") : "") : view.owner }));
      if (!fits) options.push({ id: "save", label: t("inbox.view.save"), icon: "plus" });
      if (fits && (fits.mine || ["admin", "supervisor"].includes(window.weir.me.role))) options.push({ id: "share", label: t(fits.shared ? "inbox.view.unshare" : "inbox.view.share", { name: fits.name }), icon: "users" }, { id: "forget", label: t("inbox.view.forget", { name: fits.name }), icon: "trash-2" });
      return options;
    },
    async viewed(chosen, items, fits) {
      if (chosen === "save") {
        const named = await openMenu({ title: t("inbox.view.save"), options: [], fresh: "inbox.view.named", placeholder: t("inbox.view.name") });
        if (!named) return;
        const query = Object.fromEntries(new URLSearchParams(this.wish));
        await tell("/inbox/views", { name: named.fresh, query });
        toast(t("inbox.view.saved", { name: named.fresh }));
      } else if (chosen === "share") await send("PUT", `/inbox/views/${fits.id}`, { shared: !fits.shared });
      else if (chosen === "forget") await send("DELETE", `/inbox/views/${fits.id}`);
      else {
        const { tab = "mine", sort = "due", ...filters } = items.find((view) => `view ${view.id}` === chosen).query;
        chooseList({ tab, sort, filters });
      }
    },
    async allow() {
      await askPermission();
      if (this.alerts.allowed !== "default") this.later();
    },
    later() {
      this.asked = true;
      localStorage.setItem("weir-alerts-asked", "later");
    },
    // By mouse: with Shift from the one before, with Ctrl beside others, else it is opened.
    pressed(item, event) {
      if (!item.row) return;
      if (event.shiftKey) this.extendTo(item.index);
      else if (event.ctrlKey || event.metaKey) this.toggle(item);
      else this.openAt(item.index);
      this.$refs.box.focus({ preventScroll: true });
    },
    toggle(item) {
      if (!item.row) return;
      select([item.row.key], !this.desk.checked.has(item.row.key));
      this.cursor = this.anchor = item.index;
    },
    openAt(index) {
      const row = this.rows.at(index);
      if (!row) return;
      this.point(index, false);
      openConversation(row.key, { row });
    },
    point(index, seen = true) {
      if (this.total === null || !this.total) return;
      this.cursor = Math.max(0, Math.min(this.total - 1, index));
      this.cursed = seen || this.cursed;
      const row = this.rows.at(this.cursor);
      window.dispatchEvent(new CustomEvent("weir-inbox-cursor", { detail: { key: row ? row.key : "" } }));
      if (seen) this.show(this.cursor);
    },
    show(index) {
      const box = this.$refs.box, from = index * ROW;
      if (from < box.scrollTop) box.scrollTop = from;
      else if (from + ROW > box.scrollTop + box.clientHeight) box.scrollTop = from + ROW - box.clientHeight;
    },
    extendTo(index) {
      if (this.anchor < 0) this.anchor = Math.max(0, this.cursor);
      const [low, high] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
      const keys = [];
      for (let at = low; at <= high; at++) if (this.rows.at(at)) keys.push(this.rows.at(at).key);
      clearSelection();
      select(keys);
      this.point(index);
    },
    async selectAll() {
      const most = Math.min(this.total || 0, MOST_MARKED);
      const last = Math.max(0, most - 1);
      if (most && (!this.rows.at(0) || !this.rows.at(last))) await this.rows.renew(0, last);
      const keys = [];
      for (let at = 0; at < most; at++) if (this.rows.at(at)) keys.push(this.rows.at(at).key);
      select(keys);
      if (this.total > MOST_MARKED) toast(t("inbox.most_selected", { n: number(MOST_MARKED), total: number(this.total) }));
    },
    async bulk(id) {
      await act(id, selection());
    },
    does(id) {
      const here = this.cursor;
      const deeds = {
        next: () => this.point(here + 1), previous: () => this.point(here - 1), first: () => this.point(0), last: () => this.point((this.total || 1) - 1),
        open: () => this.openAt(here), select: () => here >= 0 && this.toggle({ index: here, row: this.rows.at(here) }),
        extend_next: () => this.extendTo(Math.min((this.total || 1) - 1, here + 1)), extend_previous: () => this.extendTo(Math.max(0, here - 1)),
        select_all: () => this.selectAll(), renew: () => this.renew(false), next_after: () => this.nextAfter(),
      };
      if (deeds[id]) deeds[id]();
    },
    // The conversation is done with: the one after it comes up, on a phone the list.
    nextAfter() {
      const gone = this.place.key, index = gone ? this.rows.indexOf(gone) : this.cursor;
      const next = this.rows.at(index + 1) || this.rows.at(index - 1);
      if (gone && !isNarrow() && next) openConversation(next.key, { row: next });
      else if (gone) closeConversation();
      if (next) this.cursor = this.rows.indexOf(next.key);
      this.renew(false);
    },
  },
};
