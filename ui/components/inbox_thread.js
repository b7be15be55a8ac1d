// The thread of the open conversation: what was said, noted and done, by the platform's time. It stays where one reads, follows at
// the bottom, and draws no more than what is near, however long the conversation is.
import { WIcon, inboxLive, inboxPlace, openConversation, t, tn } from "weir-core";
import { ThreadBubble, ThreadCopies, ThreadElsewhere, ThreadEvent, ThreadGoing, ThreadNote, dayName, dayOf, isLine, resume, useThread } from "weir-thread";

const MOST = 300;
const STEP = 100;
const NEAR_PX = 240;
const BOTTOM_PX = 60;
const SHOWN = "weir-thread-translations";

export default {
  components: { ThreadBubble, ThreadCopies, ThreadElsewhere, ThreadEvent, ThreadGoing, ThreadNote, WIcon },
  props: { conversationKey: String },
  emits: ["open"],
  template: `
    <div class="th">
      <div ref="scroll" class="th-scroll" tabindex="0" role="log" :aria-label="t('thread.title')" :aria-busy="!store || store.state === 'loading'" @scroll.passive="scrolled">
        <div v-if="store && store.state === 'error' && !items.length" class="w-empty"><w-icon name="circle-alert" /><b>{{ store.error }}</b><button class="w-btn" type="button" @click="store.read().catch(() => null)"><w-icon name="refresh-cw" />{{ t("thread.again") }}</button></div>
        <div v-else-if="!store || store.state === 'loading'" class="th-wait" aria-hidden="true"><i></i><i></i><i></i></div>
        <template v-else>
          <p class="th-start">{{ first > 0 || store.older ? (store.goingBack ? t("loading") : "") : t("thread.start") }}</p>
          <template v-for="row in rows" :key="row.name">
            <p v-if="row.day" class="th-day"><span>{{ row.day }}</span></p>
            <thread-elsewhere v-for="one in row.elsewhere" :key="one.key + one.time" :one="one" @open="open" />
            <thread-bubble v-if="row.item.kind === 'message'" :item="row.item" :store="store" :now="live.now" :both="both" :quoted="row.quoted" :marked="marked === row.item.id" @toggle="toggle" @seek="seek" />
            <thread-note v-else-if="row.item.kind === 'note'" :item="row.item" />
            <thread-event v-else :item="row.item" />
          </template>
          <p v-if="!items.length" class="w-empty"><w-icon name="message-square" /><b>{{ t("thread.none") }}</b></p>
          <thread-copies :conversation="key" :count="items.length" @open="open" @shown="grown" />
          <thread-going v-for="one in going" :key="one.idem" :one="one" :store="store" @edit="edit" />
        </template>
      </div>
      <button v-if="unseen" class="th-new" type="button" @click="toBottom(true)"><w-icon name="chevron-down" />{{ tn("thread.new", unseen) }}</button>
    </div>`,
  data: () => ({ live: inboxLive, place: inboxPlace, store: null, first: 0, last: null, unseen: 0, marked: "", both: localStorage.getItem(SHOWN) !== "off" }),
  computed: {
    key() {
      return this.conversationKey || this.place.key;
    },
    items() {
      return this.store ? this.store.items.filter((item) => item.kind !== "event" || isLine(item)) : [];
    },
    going() {
      const there = new Set(this.items.map((item) => item.id));
      return this.store.outgoing.filter((one) => !there.has(one.id) && one.state !== "discarded");
    },
    rows() {
      const { items } = this;
      const byId = new Map(items.filter((item) => item.kind === "message").map((item) => [item.id, item]));
      const end = this.last ?? items.length;
      let before = this.first > 0 ? items[this.first - 1].time : null;
      return items.slice(this.first, end).map((item) => {
        const day = before === null || dayOf(before) !== dayOf(item.time) ? dayName(item.time, this.today) : "";
        const since = before;
        const elsewhere = this.store.elsewhere.filter((one) => one.time < item.time && (since === null ? false : one.time >= since));
        before = item.time;
        return { name: `${item.kind}/${item.id}`, item, day, elsewhere, quoted: item.reply_to ? byId.get(item.reply_to) : null };
      });
    },
    // Changes once a minute, so that rows are not made anew every second.
    today() {
      return Math.floor(this.live.now / 60_000) * 60_000;
    },
  },
  watch: {
    key: { handler: "enter", immediate: true },
    items(now, before) {
      this.arrived(now, before);
    },
    "going.length"(now, before) {
      if (now > before) this.$nextTick(() => this.toBottom());
    },
    "place.message"(message) {
      if (message) this.seek(message);
    },
  },
  mounted() {
    this.keyed = ({ detail }) => detail.id === "translation" && this.toggle();
    window.addEventListener("weir-inbox-key", this.keyed);
    this.placed = ({ detail }) => this.store && detail.key === this.key && this.spoke(detail.history.items);
    window.addEventListener("weir-inbox-context", this.placed);
    this.shape = new ResizeObserver(() => this.stuck && this.toBottom());
    this.shape.observe(this.$refs.scroll);
  },
  beforeUnmount() {
    window.removeEventListener("weir-inbox-key", this.keyed);
    window.removeEventListener("weir-inbox-context", this.placed);
    this.shape.disconnect();
    if (this.leave) this.leave();
  },
  methods: {
    t, tn,
    enter(key) {
      if (this.leave) this.leave();
      Object.assign(this, { store: null, leave: null, first: 0, last: null, unseen: 0, marked: "" });
      this.stuck = true;
      if (!key) return;
      const { store, stop } = useThread(key);
      Object.assign(this, { store, leave: stop });
      resume(store);
      if (store.items.length) this.arrived(store.items, []);
    },
    // At the bottom it follows; elsewhere what is read stays where it is, and what is new is counted.
    async arrived(now, before) {
      if (!now.length) return;
      if (!before.length) {
        this.first = Math.max(0, now.length - MOST);
        await this.$nextTick();
        this.toBottom();
        if (this.place.message && !this.conversationKey) this.seek(this.place.message);
        return;
      }
      const anchor = this.stuck ? null : this.anchor();
      const known = new Set(before.map((item) => `${item.kind}/${item.id}`));
      const added = now.filter((item) => !known.has(`${item.kind}/${item.id}`));
      const firstBefore = before[this.first] || before[0];
      this.first = Math.max(0, now.findIndex((item) => item.kind === firstBefore.kind && item.id === firstBefore.id));
      if (this.stuck) {
        this.last = null;
        this.first = Math.max(this.first, now.length - MOST);
      } else if (!this.loadingBack) {
        const mine = (item) => item.kind === "message" && item.direction === "out" && item.sender_name === window.weir.me.name;
        this.unseen += added.filter((item) => item.kind !== "event" && !mine(item)).length;
      }
      await this.$nextTick();
      if (this.stuck) this.toBottom();
      else this.hold(anchor);
    },
    // Which row is at the top and where, so that it is there again when rows above it came or went.
    anchor() {
      const { scroll } = this.$refs;
      const top = scroll.getBoundingClientRect().top;
      for (const row of scroll.querySelectorAll("[data-id]")) {
        const box = row.getBoundingClientRect();
        if (box.bottom > top) return { id: row.dataset.id, offset: box.top - top };
      }
      return null;
    },
    hold(anchor) {
      const { scroll } = this.$refs;
      const row = anchor && scroll && scroll.querySelector(`[data-id="${CSS.escape(anchor.id)}"]`);
      if (row) scroll.scrollTop += row.getBoundingClientRect().top - scroll.getBoundingClientRect().top - anchor.offset;
    },
    async scrolled() {
      const { scroll } = this.$refs;
      const below = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
      this.stuck = below < BOTTOM_PX && this.last === null;
      if (this.stuck) this.unseen = 0;
      if (this.moving || !this.store) return;
      this.moving = true;
      try {
        if (scroll.scrollTop < NEAR_PX) await this.upwards();
        else if (below < NEAR_PX && this.last !== null) await this.window(this.first + STEP, this.last + STEP);
      } finally {
        this.moving = false;
      }
    },
    async upwards() {
      if (this.first > 0) return this.window(this.first - STEP, this.last);
      if (!this.store.older) return;
      const anchor = this.anchor();
      this.loadingBack = true;
      try {
        await this.store.back();
        await this.$nextTick();
        const whole = this.items.length;
        // What `arrived` kept in sight begins where it began; the page before is above it.
        await this.window(Math.max(0, this.first - STEP), this.last ?? whole, anchor);
      } catch (wrong) {
        if (wrong.status === undefined) throw wrong;
      } finally {
        this.loadingBack = false;
      }
    },
    // Draws the rows from `first` to before `last`, at most so many, and keeps what is read in its place.
    async window(first, last, kept) {
      const whole = this.items.length;
      const down = last !== null && this.last !== null && last > this.last;
      const anchor = kept || this.anchor();
      let from = Math.max(0, first);
      let to = Math.min(last ?? whole, whole);
      if (to - from > MOST) {
        if (down) from = to - MOST;
        else to = from + MOST;
      }
      this.first = from;
      this.last = to >= whole ? null : to;
      await this.$nextTick();
      this.hold(anchor);
    },
    // What stands below the last row came after it.
    grown() {
      if (this.stuck) this.$nextTick(() => this.toBottom());
    },
    toBottom(far = false) {
      const { scroll } = this.$refs;
      if (!scroll) return;
      this.last = null;
      this.first = Math.max(0, Math.min(this.first, this.items.length), this.items.length - MOST);
      this.stuck = true;
      this.unseen = 0;
      const down = () => scroll.scrollTo({ top: scroll.scrollHeight });
      if (far) this.$nextTick(down);
      else down();
    },
    async seek(message) {
      const wanted = this.store;
      try {
        if (!(await this.store.findBack(message)) || wanted !== this.store) return;
      } catch (wrong) {
        if (wrong.status === undefined) throw wrong;
        return;
      }
      const at = this.items.findIndex((item) => item.kind === "message" && item.id === message);
      this.stuck = false;
      this.first = Math.max(0, Math.min(this.first, at - STEP));
      const end = Math.min(this.items.length, this.first + MOST);
      if (at >= end || this.last !== null) this.first = Math.max(0, at - STEP);
      const to = Math.min(this.items.length, this.first + MOST);
      this.last = to >= this.items.length ? null : to;
      this.marked = message;
      await this.$nextTick();
      const row = this.$refs.scroll.querySelector(`[data-id="${CSS.escape(`message/${message}`)}"]`);
      if (row) row.scrollIntoView({ block: "center" });
      setTimeout(() => this.marked === message && (this.marked = ""), 4000);
    },
    toggle() {
      const anchor = this.stuck ? null : this.anchor();
      this.both = !this.both;
      localStorage.setItem(SHOWN, this.both ? "on" : "off");
      this.$nextTick(() => (anchor ? this.hold(anchor) : this.toBottom()));
    },
    // Where the same person spoke elsewhere, by when that was over.
    spoke(spans) {
      this.store.elsewhere = spans.filter((one) => !one.here && one.key !== this.key).map((one) => ({ key: one.key, platform: one.platform, time: Date.parse(one.last_at) }));
    },
    // What is taken back goes where it was written.
    edit(one) {
      window.dispatchEvent(new CustomEvent("weir-composer-take", { detail: one }));
    },
    open(key) {
      if (this.conversationKey) this.$emit("open", key);
      else openConversation(key);
    },
  },
};
