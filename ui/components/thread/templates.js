// The template picker: `/` opens it, letters search, arrows choose, Enter puts it in. What could not be filled in stays to be filled.
import { ApiError, WIcon, ask, number, t } from "weir-core";
import { languageName } from "weir-inbox";

const WAIT_MS = 120;
export const HOLE = /\{[a-z][a-z_]*(?:\.[a-z_]+)?\}/g;

export const TemplatePicker = {
  name: "TemplatePicker",
  components: { WIcon },
  props: { conversation: String, query: String, lang: String },
  // `at`: the id of the one that Enter would take, for the box in which one writes.
  emits: ["pick", "close", "at"],
  template: `
    <div class="cp-picker">
      <p v-if="trouble" class="cp-rule is-block"><w-icon name="circle-alert" />{{ trouble }}</p>
      <ul v-if="items.length" id="cp-templates" role="listbox" :aria-label="t('composer.templates')"><li v-for="(one, index) in items" :id="'cp-template-' + index" :key="one.id" role="option" :aria-selected="index === at" :class="{ 'is-at': index === at }" @mousemove="at = index" @mousedown.prevent="pick(one)">
        <span class="cp-template-head"><b><bdi>{{ one.name }}</bdi></b><span v-if="one.folder" class="w-meta"><bdi>{{ one.folder }}</bdi></span><span v-if="one.lang" class="w-pill">{{ languageName(one.lang) }}</span><span v-if="one.stale" class="w-pill is-amber">{{ t("templates.stale") }}</span><span class="w-meta w-num cp-used">{{ number(one.used) }}×</span></span>
        <span class="cp-template-text" dir="auto">{{ one.text.slice(0, 180) }}</span>
        <span v-if="one.missing.length" class="w-meta">{{ t("composer.missing", { names: one.missing.join(", ") }) }}</span>
      </li></ul>
      <p v-else-if="!trouble" class="cp-none">{{ t(asked ? "composer.no_templates" : "loading") }}</p>
      <p class="cp-keys w-meta"><kbd v-for="name in ['↑', '↓', 'Enter', 'Esc']" :key="name" class="w-kbd">{{ name }}</kbd><a class="w-link" href="/settings/templates">{{ t("settings.templates") }}</a></p>
    </div>`,
  data: () => ({ items: [], at: 0, trouble: "", asked: false, foundFor: null }),
  computed: {
    taken() {
      return this.items.length ? `cp-template-${this.at}` : "";
    },
  },
  watch: {
    taken: { immediate: true, handler(id) { this.$emit("at", id); } },
    query() {
      this.hurried = false;
      this.soon();
    },
    lang() {
      this.find();
    },
  },
  mounted() {
    this.find();
  },
  beforeUnmount() {
    clearTimeout(this.timer);
    if (this.asking) this.asking.abort();
  },
  methods: {
    t, number, languageName,
    soon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.find(), WAIT_MS);
    },
    async find() {
      if (this.asking) this.asking.abort();
      const mine = (this.asking = new AbortController());
      const wanted = this.query;
      const query = new URLSearchParams({ conversation: this.conversation, q: wanted, ...(this.lang ? { lang: this.lang } : {}) });
      try {
        const found = await ask(`/templates/for?${query}`, mine.signal);
        if (mine !== this.asking) return;
        Object.assign(this, { items: found.items, at: 0, trouble: "", asked: true, foundFor: wanted });
        if (this.hurried && wanted === this.query && this.items.length) this.pick(this.items[0]);
      } catch (wrong) {
        if (wrong.name === "AbortError") return;
        if (!(wrong instanceof ApiError)) throw wrong;
        Object.assign(this, { trouble: wrong.message, items: [] });
      }
    },
    pick(one) {
      this.$emit("pick", one);
    },
    // Whether the key was the picker's.
    key(event) {
      if (event.key === "Escape") this.$emit("close");
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.move(event.key === "ArrowDown" ? 1 : -1);
      else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey) {
        // Who types faster than the list comes means what he typed, not what still stands there.
        if (this.foundFor !== this.query) this.hurried = true;
        else if (this.items[this.at]) this.pick(this.items[this.at]);
        else return false;
      }
      else return false;
      return true;
    },
    move(by) {
      const { length } = this.items;
      if (length) this.at = (this.at + by + length) % length;
      this.$nextTick(() => this.$el.querySelector(".is-at")?.scrollIntoView({ block: "nearest" }));
    },
  },
};
