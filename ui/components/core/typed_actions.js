// Messages that the platform lets a seller begin: about an order, each of a kind (Amazon), or in words that it approved
// before (WhatsApp), whose blanks are filled in and above which a file may stand. Offered, written, sent once.
// Shows nothing where there are none. `conversation`: its key; emits `begun` with {message, state}.
import { ask, send } from "./api.js";
import { number, size } from "./format.js";
import { can } from "./live.js";
import { WIcon } from "./parts.js";
import { t } from "./texts.js";

const BLANK = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;
const ASKED = new Map([["BUTTON", "button"], ["CODE", "code"]]);
const path = (key) => `/conversations/${encodeURIComponent(key)}/actions`;

export const WTypedActions = {
  name: "WTypedActions",
  components: { WIcon },
  props: { conversation: String },
  emits: ["begun"],
  template: `
    <section v-if="items.length" class="w-card typed" :aria-label="t(kinds.length ? 'typed.title' : 'typed.title.words')">
      <div class="w-card-head"><h2 class="w-h2">{{ t(kinds.length ? "typed.title" : "typed.title.words") }}</h2><span v-if="kinds.length" class="w-sub w-mono"><bdi>{{ order }}</bdi></span></div>
      <div class="w-card-body">
        <label v-if="templates.length" class="typed-field"><span>{{ t("typed.words") }}</span><span class="w-field"><select :value="chosen && chosen.words ? chosen.kind : ''" @change="choose(items.find((one) => one.kind === $event.target.value))"><option value="" disabled>{{ t("typed.choose") }}</option><option v-for="one in templates" :key="one.kind" :value="one.kind" dir="auto">{{ one.title }} · {{ one.lang }}</option></select></span></label>
        <div v-if="kinds.length" class="set-acts" role="group" :aria-label="t('typed.kinds')"><button v-for="one in kinds" :key="one.kind" class="w-btn" type="button" :aria-pressed="chosen === one" @click="choose(one)">{{ t("typed.kind." + one.kind) }}</button></div>
        <p v-if="lang" class="w-meta">{{ t("typed.lang", { lang }) }}</p>
        <form v-if="chosen" @submit.prevent="begin">
          <label v-for="name in chosen.blanks" :key="name" class="typed-field"><span>{{ t("typed.blank." + asked(name)) }} <bdi>{{ shown(name) }}</bdi></span><span class="w-field"><input v-model="blanks[name]" type="text" maxlength="1000" dir="auto" required /></span></label>
          <p v-if="chosen.words" class="typed-words" dir="auto" :aria-label="t('typed.preview')">{{ filled }}</p>
          <label v-if="chosen.text" class="typed-field"><span>{{ t("typed.text") }} <span class="w-meta w-num">{{ number(text.length) }} / {{ number(chosen.text) }}</span></span><textarea v-model="text" rows="4" required></textarea></label>
          <label v-if="chosen.most" :key="chosen.kind" class="typed-field"><span>{{ chosen.media ? t("typed.media." + chosen.media) : t("typed.files", { n: number(chosen.most) }) }}</span><input type="file" :multiple="chosen.most > 1" :accept="accepted(chosen.media)" :required="chosen.least > 0" @change="files = [...$event.target.files]" /></label>
          <p v-if="files.length" class="w-meta"><bdi>{{ files.map((file) => file.name + " (" + size(file.size) + ")").join(", ") }}</bdi></p>
          <button class="w-btn is-primary" type="submit" :disabled="busy || over">{{ t("typed.send") }}</button>
        </form>
        <p v-if="told" role="status" class="w-sub"><w-icon :name="told.state === 'sent' ? 'circle-check' : 'circle-alert'" />{{ t("typed.state." + told.state) }} <bdi v-if="told.reason">{{ told.reason }}</bdi></p>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
      </div>
    </section>`,
  data: () => ({ items: [], order: "", lang: "", chosen: null, text: "", files: [], blanks: {}, busy: false, told: null, trouble: "", once: "" }),
  computed: {
    kinds() {
      return this.items.filter((one) => !one.words);
    },
    templates() {
      return this.items.filter((one) => one.words);
    },
    over() {
      const { words, text: longest, most } = this.chosen;
      return this.files.length > most || (!words && longest && this.text.length > longest);
    },
    // What the customer will read; what is open yet stands as a blank.
    filled() {
      return this.chosen.words.replace(BLANK, (_, name) => this.blanks[name] || "____");
    },
  },
  watch: {
    conversation: {
      immediate: true,
      handler() {
        this.load();
      },
    },
  },
  methods: {
    t, number, size,
    async load() {
      const key = this.conversation;
      Object.assign(this, { items: [], lang: "", chosen: null, told: null, trouble: "" });
      if (!key || !can("reply")) return;
      try {
        const found = await ask(path(key));
        if (key === this.conversation) Object.assign(this, { items: found.items, order: found.order, lang: found.lang || "" });
        // A choice of one is made.
        if (key === this.conversation && this.templates.length === 1) this.choose(this.templates[0]);
      } catch (error) {
        // A channel without such messages is no trouble; one whose consent is gone says so elsewhere.
        if (error.status !== 409 && error.status !== 404) this.trouble = error.message;
      }
    },
    choose(one) {
      Object.assign(this, { chosen: one, told: null, trouble: "", files: [], blanks: {}, once: crypto.randomUUID() });
    },
    // Buttons are counted from 0, people count from 1.
    shown: (name) => name.replace(/^HEAD_/, "").replace(/^(BUTTON|CODE)_([0-9]+)$/, (_, kind, place) => Number(place) + 1),
    asked: (name) => ASKED.get(name.split("_")[0]) || "words",
    accepted: (media) => (media && media !== "document" ? `${media}/*` : null),
    async begin() {
      const { kind, words, text: longest } = this.chosen;
      Object.assign(this, { busy: true, trouble: "" });
      try {
        const files = await Promise.all(this.files.map(kept));
        const own = { kind, text: longest ? this.text : "", files, order: this.order };
        const said = words ? { kind, blanks: this.blanks, files } : own;
        const told = await begun(this.conversation, said, this.once);
        Object.assign(this, { told, chosen: null, text: "", files: [] });
        this.$emit("begun", told);
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
  },
};

async function kept(file) {
  const headers = { Accept: "application/json", "X-Requested-With": "weir" };
  const response = await fetch(`/api/v1/files?name=${encodeURIComponent(file.name)}`, { method: "POST", headers, body: file });
  const told = await response.json().catch(() => null);
  if (!response.ok) throw new Error((told && told.detail) || t("error.status", { status: response.status }));
  return { digest: told.digest, name: told.name, mime: told.mime };
}

async function begun(key, body, once) {
  return send("POST", path(key), body, undefined, { "Idempotency-Key": once });
}
