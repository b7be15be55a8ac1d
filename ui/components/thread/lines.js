// What is no message: notes of colleagues, what was done, where a day begins, and what is still on its way to the server.
import { WIcon, ask, channelName, dayMinute, minuteOfDay, moment, splitKey, t, toMs, platformName, lang } from "weir-core";
import { discard, repeat } from "./sending.js";

const day = new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", { weekday: "short", day: "numeric", month: "short" });
const dayYear = new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", { day: "numeric", month: "short", year: "numeric" });
export const dayOf = (at) => new Date(at).toDateString();
export function dayName(at, now) {
  if (dayOf(at) === dayOf(now)) return t("thread.today");
  if (dayOf(at) === dayOf(now - 86_400_000)) return t("thread.yesterday");
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? day : dayYear).format(at);
}

export const ThreadNote = {
  name: "ThreadNote",
  components: { WIcon },
  props: { item: Object },
  template: `
    <article class="th-msg is-note" :data-id="'note/' + item.id"><div class="th-bubble"><p class="th-note-head"><w-icon name="lock" />{{ t("thread.note") }} · <bdi>{{ item.who }}</bdi></p><p class="th-text" dir="auto">{{ item.text }}</p></div>
      <footer class="th-meta"><span v-if="item.mentions.length" class="th-chip"><bdi>{{ item.mentions.map((name) => "@" + name).join(" ") }}</bdi></span><time class="w-num" :datetime="item.at" :title="moment(item.time)">{{ minuteOfDay(item.time) }}</time></footer></article>`,
  methods: { t, minuteOfDay, moment },
};

const EVENTS = {
  "conversation.claimed": ["user", "event.claimed"], "conversation.assigned": ["user", "event.assigned"], "conversation.closed": ["check", "event.closed"], "conversation.reopened": ["undo-2", "event.reopened"],
  "conversation.snoozed": ["clock", "event.snoozed"], "conversation.woken": ["bell", "event.woken"], "conversation.archived": ["inbox", "event.archived"], "conversation.unarchived": ["inbox", "event.unarchived"],
  "labels.changed": ["flag", "event.labelled"], "alert.escalated": ["triangle-alert", "event.escalated"], "conversation.resynced": ["refresh-cw", "event.resynced"], "alert.unreachable": ["bell-off", "event.unreachable"],
};
// What else was done is in the log of changes.
export const isLine = (item) => item.what in EVENTS;
// What a comparison with the platform found.
function found({ failed, checked, new: missing, edited, recalled }) {
  if (failed) return t("event.resynced.failed", { reason: failed });
  const counts = t("event.resynced.found", { checked, missing });
  return edited + recalled ? `${counts}, ${t("event.resynced.changed", { n: edited + recalled })}` : counts;
}
// To whom, until when, which labels: the words in what was changed, whatever its shape.
function about(value) {
  if (typeof value === "string") return isNaN(Date.parse(value)) || !/^\d{4}-/.test(value) ? value : dayMinute(toMs(value));
  if (typeof value === "number") return value > 1e12 ? dayMinute(value) : String(value);
  if (Array.isArray(value)) return value.map(about).filter(Boolean).join(", ");
  if (value && typeof value === "object") return Object.values(value).map(about).filter(Boolean).join(", ");
  return "";
}

export const ThreadEvent = {
  name: "ThreadEvent",
  components: { WIcon },
  props: { item: Object },
  template: `<p class="th-line" :data-id="'event/' + item.id"><w-icon :name="icon" /><span><bdi>{{ who }}</bdi> · {{ words }}<template v-if="more">: <bdi>{{ more }}</bdi></template></span><time class="w-num" :datetime="item.at" :title="moment(item.time)">{{ minuteOfDay(item.time) }}</time></p>`,
  computed: {
    icon() {
      return EVENTS[this.item.what][0];
    },
    words() {
      return t(EVENTS[this.item.what][1]);
    },
    who() {
      return this.item.what === "conversation.resynced" && this.item.who === "sweep" ? t("event.sweep") : this.item.who;
    },
    more() {
      if (this.item.what === "conversation.resynced") return found(this.item.after);
      return this.item.what.startsWith("alert.") ? "" : about(this.item.after).slice(0, 200);
    },
  },
  methods: { t, minuteOfDay, moment },
};

export const ThreadElsewhere = {
  name: "ThreadElsewhere",
  components: { WIcon },
  props: { one: Object },
  emits: ["open"],
  template: `<button class="th-line is-link" type="button" @click="$emit('open', one.key)"><w-icon name="route" /><span>{{ t("thread.elsewhere", { platform: platformName(one.platform || splitKey(one.key)[0]) }) }}</span><span class="w-num">{{ dayMinute(one.time) }}</span></button>`,
  methods: { t, dayMinute, platformName, splitKey },
};

// In which other mailboxes of one's own the customer's latest mail is, and whether somebody answered it there. `count`: how much the
// thread holds; asked anew when that changes. Emits `shown` once it takes place.
const MAIL = /^(email|amazon)\//;

export const ThreadCopies = {
  name: "ThreadCopies",
  components: { WIcon },
  props: { conversation: String, count: Number },
  emits: ["open", "shown"],
  template: `<template v-for="one in copies" :key="one.channel"><button v-if="one.key" class="th-line is-link" type="button" @click="$emit('open', one.key)"><w-icon name="copy" /><span>{{ words(one) }}</span></button><p v-else class="th-line"><w-icon name="copy" /><span>{{ words(one) }}</span></p></template>`,
  data: () => ({ copies: [] }),
  watch: {
    conversation: { handler: "look", immediate: true },
    count: "look",
  },
  methods: {
    async look() {
      const key = this.conversation;
      if (!MAIL.test(key)) {
        this.copies = [];
        return;
      }
      try {
        const { items } = await ask(`/conversations/${encodeURIComponent(key)}/copies`);
        if (key !== this.conversation) return;
        this.copies = items;
        if (items.length) this.$emit("shown");
      } catch (wrong) {
        // Without an answer the thread is whole without it.
        if (wrong.status === undefined) throw wrong;
      }
    },
    words(one) {
      const channel = channelName(...splitKey(one.channel));
      if (!one.answered_at) return t("thread.copy", { channel });
      const at = dayMinute(toMs(one.answered_at));
      return one.who ? t("thread.copy.by", { channel, at, name: one.who }) : t("thread.copy.answered", { channel, at });
    },
  },
};

// What was asked to be sent and is not answered yet: it says honestly what is known of it.
export const ThreadGoing = {
  name: "ThreadGoing",
  components: { WIcon },
  props: { one: Object, store: Object },
  emits: ["edit"],
  template: `
    <article class="th-msg is-out is-going" :class="{ 'is-note': one.mode === 'note' }">
      <div class="th-bubble"><p v-if="one.mode === 'note'" class="th-note-head"><w-icon name="lock" />{{ t("thread.note") }}</p><p class="th-text" dir="auto">{{ one.text }}</p><p v-for="file in one.files || []" :key="file.digest" class="th-file"><w-icon name="paperclip" /><bdi>{{ file.name }}</bdi></p></div>
      <div v-if="one.state === 'twin'" class="th-cures is-maybe_sent" role="alertdialog" :aria-label="t('thread.twin.title')"><p>{{ t("thread.twin.text", { ago: t("unit.s", { n: one.twin.ago_s }), name: one.twin.who }) }}</p>
        <div class="th-acts"><button class="w-btn" type="button" @click="repeat(store, one, true)">{{ t("thread.twin.again") }}</button><button class="w-btn is-quiet" type="button" @click="edit">{{ t("thread.take_back") }}</button></div></div>
      <div v-else-if="one.state === 'refused'" class="th-cures is-failed" role="alert"><p>{{ one.error }}</p>
        <div class="th-acts"><button class="w-btn" type="button" @click="edit">{{ t("thread.take_back") }}</button><button class="w-btn is-quiet" type="button" @click="discard(store, one)">{{ t("thread.discard") }}</button></div></div>
      <div v-else-if="one.state === 'unanswered'" class="th-cures is-maybe_sent" role="status"><p>{{ t("thread.unanswered") }} {{ one.error }}</p>
        <div class="th-acts"><button class="w-btn" type="button" @click="repeat(store, one)">{{ t("thread.ask_again") }}</button><button class="w-btn is-quiet" type="button" @click="edit">{{ t("thread.take_back") }}</button></div></div>
      <footer class="th-meta"><span class="th-tick" role="status"><w-icon name="clock" />{{ t(one.state === "sending" || one.state === "taken" ? "thread.out.sending" : "thread.out.waiting") }}</span></footer>
    </article>`,
  methods: {
    t, discard, repeat,
    edit() {
      this.$emit("edit", this.one);
      discard(this.store, this.one);
    },
  },
};
