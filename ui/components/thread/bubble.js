// One message: whose, on which platform, when, how late, how often it came, what became of it, and the way to its trace.
import { WFiles, WIcon, can, dayMinute, duration, minuteOfDay, moment, splitKey, t, tn, toMs, toTrace, troubleName } from "weir-core";
import { PlatformMark } from "weir-inbox";
import { ThreadCures, ThreadOutgo, ThreadRecall } from "./outgo.js";
import { ThreadWords } from "./words.js";

// What has a mark of its own on the bubble needs no second one.
const TOLD = ["delay", "duplicate", "attachment_failed", "notification_missed"];

export const ThreadBubble = {
  name: "ThreadBubble",
  components: { PlatformMark, ThreadCures, ThreadOutgo, ThreadRecall, ThreadWords, WFiles, WIcon },
  props: { item: Object, store: Object, now: Number, both: Boolean, quoted: Object, marked: Boolean },
  emits: ["toggle", "seek"],
  template: `
    <article class="th-msg" :class="['is-' + item.direction, { 'is-late': item.late, 'is-pending': item.pending, 'is-marked': marked, 'is-gone': recalled }]" :data-id="'message/' + item.id" :aria-label="label">
      <div class="th-bubble">
        <button v-if="item.reply_to" class="th-quote" type="button" @click="$emit('seek', item.reply_to)"><b><bdi>{{ quoted ? quoted.sender_name || t("thread." + quoted.direction) : t("thread.quoted") }}</bdi></b><span dir="auto">{{ quoted ? (quoted.text || t("find.no_text")).slice(0, 160) : t("thread.quoted_earlier") }}</span></button>
        <p v-if="recalled" class="th-recalled"><w-icon name="trash-2" />{{ t("thread.recalled") }}</p>
        <thread-words :item="item" :both="both" @toggle="$emit('toggle')" />
        <w-files v-if="item.attachments.length" :row="item" :now="now" @asked="store.read().catch(() => null)" />
      </div>
      <p v-if="item.late" class="th-late"><w-icon name="clock" />{{ lateness }}</p>
      <p v-if="item.clock_ahead_ms" class="th-late"><w-icon name="triangle-alert" />{{ t("thread.clock_ahead", { span: duration(item.clock_ahead_ms) }) }}</p>
      <p v-for="one in troubles" :key="one.id" class="th-late"><w-icon name="triangle-alert" />{{ troubleName(one) }}</p>
      <thread-cures v-if="item.reply" :item="item" :store="store" />
      <thread-recall v-if="recalling && recallable" :item="item" :store="store" @close="recalling = false" />
      <footer class="th-meta">
        <platform-mark :platform="platform" />
        <span v-if="item.sender_name" class="th-who"><bdi>{{ item.sender_name }}</bdi></span>
        <time class="w-num" :datetime="item.sent_at" :title="moment(item.time)">{{ minuteOfDay(item.time) }}</time>
        <span v-if="item.copies" class="th-chip">{{ t("thread.received", { n: item.copies + 1 }) }}</span>
        <span v-if="item.via === 'resync'" class="th-chip">{{ t("thread.found") }}</span>
        <button v-if="item.versions.length" class="th-link" type="button" :aria-expanded="older" @click="older = !older">{{ tn("thread.versions", item.versions.length - 1) }}</button>
        <thread-outgo v-if="item.reply" :item="item" />
        <span class="th-tools"><button v-if="may && recallable" class="th-tool" type="button" :title="t('thread.recall')" :aria-label="t('thread.recall')" :aria-expanded="recalling" @click="recalling = !recalling"><w-icon name="trash-2" /></button><button v-if="may && !item.pending" class="th-tool" type="button" :title="t('thread.answer')" :aria-label="t('thread.answer')" @click="store.quote = item"><w-icon name="undo-2" /></button><a class="th-tool" :href="toTrace(item.key, item.id)" :title="t('thread.trace')" :aria-label="t('thread.trace')"><w-icon name="route" /></a></span>
      </footer>
      <ol v-if="older" class="th-versions"><li v-for="(version, index) in item.versions" :key="index"><span class="w-meta w-num">{{ t("thread.version." + version.what) }} · {{ dayMinute(toMs(version.at)) }}</span><p dir="auto">{{ version.text || "–" }}</p></li></ol>
    </article>`,
  data: () => ({ older: false, recalling: false, may: can("reply") }),
  computed: {
    platform() {
      return splitKey(this.item.key)[0];
    },
    recalled() {
      const last = this.item.versions.at(-1);
      return Boolean(last && last.what === "deleted");
    },
    recallable() {
      return Boolean(this.item.reply && this.item.reply.recall_until > this.now && !this.recalled);
    },
    lateness() {
      return t(this.item.late.after_reply ? "thread.late_after" : "thread.late", { span: duration(this.item.late.ms) });
    },
    troubles() {
      return this.item.anomalies.filter((one) => !TOLD.includes(one.kind) && one.status !== "resolved");
    },
    label() {
      return t("thread.of", { name: this.item.sender_name || t(`thread.${this.item.direction}`), at: moment(this.item.time) });
    },
  },
  methods: { t, tn, dayMinute, duration, minuteOfDay, moment, toMs, toTrace, troubleName },
};
