// How far an answer of ours came: a shape and a word, never a colour alone; why not, and what can be done about it.
import { ApiError, WIcon, can, send, t, toast } from "weir-core";

const ICONS = { queued: "clock", sending: "clock", sent: "check", delivered: "check-check", read: "check-check", failed: "circle-alert", maybe_sent: "circle-question-mark" };
const CURES = {
  retry: { path: "retry", body: {} },
  retry_sure: { path: "retry", body: { sure: true } },
  settle_sent: { path: "settle", body: { sent: true } },
  settle_failed: { path: "settle", body: { sent: false } },
};

export const ThreadOutgo = {
  name: "ThreadOutgo",
  components: { WIcon },
  props: { item: Object, store: Object },
  template: `<span class="th-tick" :class="'is-' + told.state" :title="told.reason || word"><w-icon :name="ICONS[told.state] || 'clock'" /><span :class="{ 'w-sr': quiet }">{{ word }}</span></span>`,
  data: () => ({ ICONS }),
  computed: {
    told() {
      return this.item.reply;
    },
    quiet() {
      return ["sent", "delivered", "read"].includes(this.told.state);
    },
    word() {
      return t(this.told.state === "queued" && this.told.code === "blocked" ? "thread.out.blocked" : `thread.out.${this.told.state}`);
    },
  },
};

// Asks once more before a message is taken back, which cannot be undone.
export const ThreadRecall = {
  name: "ThreadRecall",
  props: { item: Object, store: Object },
  emits: ["close"],
  template: `
    <div class="th-cures" role="group" :aria-label="t('thread.recall')">
      <p>{{ t("thread.recall.sure") }}</p>
      <div class="th-acts"><button class="w-btn is-danger" type="button" :disabled="busy" @click="recall">{{ t("thread.recall") }}</button><button class="w-btn" type="button" @click="$emit('close')">{{ t("cancel") }}</button></div>
    </div>`,
  data: () => ({ busy: false }),
  methods: {
    t,
    async recall() {
      this.busy = true;
      try {
        await send("POST", `/outbox/${encodeURIComponent(this.item.id)}/recall`, {});
        toast(t("thread.recall.done"));
        await this.store.read();
      } catch (wrong) {
        if (!(wrong instanceof ApiError)) throw wrong;
        toast(wrong.message, "error");
      }
      this.busy = false;
      this.$emit("close");
    },
  },
};

export const ThreadCures = {
  name: "ThreadCures",
  components: { WIcon },
  props: { item: Object, store: Object },
  template: `
    <div v-if="shown" class="th-cures" :class="'is-' + told.state" role="group" :aria-label="t('thread.out.' + told.state)">
      <p>{{ reason }}</p>
      <div v-if="may" class="th-acts"><button v-for="name in told.can" :key="name" class="w-btn" type="button" :disabled="busy" @click="act(name)">{{ t("thread.cure." + name) }}</button></div>
    </div>`,
  data: () => ({ busy: false, may: can("reply") }),
  computed: {
    told() {
      return this.item.reply;
    },
    shown() {
      return this.told.can.length || (this.told.state === "queued" && this.told.reason);
    },
    reason() {
      const known = this.told.state === "maybe_sent" ? t(this.told.looking ? "thread.out.looking" : "thread.out.unknown") : "";
      return [known, this.told.reason].filter(Boolean).join(" ");
    },
  },
  methods: {
    t,
    async act(name) {
      if (name === "resend") {
        this.store.again = this.item;
        return;
      }
      this.busy = true;
      try {
        await send("POST", `/outbox/${encodeURIComponent(this.item.id)}/${CURES[name].path}`, CURES[name].body);
        await this.store.read();
      } catch (wrong) {
        if (!(wrong instanceof ApiError)) throw wrong;
        toast(wrong.message, "error");
      }
      this.busy = false;
    },
  },
};
