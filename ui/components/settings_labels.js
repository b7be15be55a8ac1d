// Labels: what there is to label conversations with, the words that give each label, and a box to try a text in.
import { WIcon, WLabel, ask, keepLabels, labelName, lang, number, send, t, toast } from "weir-core";
import { AreYouSure, SettingsHead } from "weir-admin";

const SENSITIVE = "sensitive";
const EVERY = "*";
const SETTLE_MS = 250;

export default {
  components: { AreYouSure, SettingsHead, WIcon, WLabel },
  template: `
    <div class="set"><settings-head here="labels" />
      <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
      <section class="w-card" :aria-label="t('labels.try')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("labels.try") }}</h2></div>
        <div class="w-card-body lab-try"><label class="w-field"><w-icon name="message-square" /><input v-model="text" type="text" maxlength="2000" :placeholder="t('labels.try_text')" :aria-label="t('labels.try_text')" @input="typed"></label>
          <div v-if="tried" class="lab-found" role="status"><span class="set-pills"><w-label v-for="id in tried.labels" :id="id" :key="id" /><span v-if="tried.sensitive" class="w-pill is-red"><w-icon name="shield" />{{ t("labels.sensitive") }}</span><span v-if="!tried.labels.length && !tried.sensitive" class="w-sub">{{ t(tried.neutral ? "labels.neutral" : "labels.nothing") }}</span></span>
            <p v-if="tried.language" class="w-meta">{{ t("labels.language", { lang: langName(tried.language.lang), percent: number(Math.round(tried.language.probability * 100)) }) }}</p>
            <p v-if="tried.hits.length" class="w-meta lab-hits">{{ t("labels.hits") }} <span v-for="hit in tried.hits" :key="hit.label + hit.words" class="lab-hit"><bdi>{{ hit.words }}</bdi> → {{ nameOf(hit.label) }}</span></p>
            <p v-if="tried.model" class="w-meta">{{ t("labels.model", { label: nameOf(tried.model.label), percent: number(Math.round(tried.model.probability * 100)) }) }}</p></div></div>
      </section>
      <section class="w-card" :aria-label="t('settings.labels')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("labels.title") }}</h2><button class="w-btn is-primary" type="button" :disabled="busy || !book" @click="begin(null)"><w-icon name="plus" />{{ t("labels.add") }}</button></div>
        <p class="w-card-body w-sub">{{ t("labels.text") }}</p>
        <div v-if="book" class="w-scroll-x"><table class="w-table set-table">
          <thead><tr><th scope="col">{{ t("labels.label") }}</th><th scope="col" class="r">{{ t("labels.in_use") }}</th><th scope="col">{{ t("labels.state") }}</th><th scope="col"><span class="w-sr">{{ t("settings.actions") }}</span></th></tr></thead>
          <tbody><tr v-for="label in book.labels" :key="label.id" :class="{ 'is-off': !label.active }">
            <td class="set-break"><w-label :id="label.id" :colour="label.colour" /></td>
            <td class="r w-num" :data-label="t('labels.in_use')">{{ number(label.in_use) }}</td>
            <td :data-label="t('labels.state')"><span class="w-pill" :class="label.active ? 'is-green' : ''">{{ t(label.active ? "labels.active" : "labels.off") }}</span></td>
            <td class="r set-acts"><button class="w-btn" type="button" :disabled="busy" @click="begin(label)">{{ t("labels.change") }}</button><button class="w-btn" type="button" :disabled="busy" @click="turn(label)">{{ t(label.active ? "labels.turn_off" : "labels.turn_on") }}</button></td>
          </tr></tbody></table></div>
        <p v-else-if="!trouble" class="w-empty">{{ t("loading") }}</p>
      </section>
      <section v-if="book" class="w-card" :aria-label="t('labels.words')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("labels.words") }}</h2>
          <label class="w-field set-pick"><span class="w-sr">{{ t("labels.word_language") }}</span><select v-model="tongue"><option v-for="code in book.languages" :key="code" :value="code">{{ langName(code) }}</option></select><w-icon name="chevron-down" /></label>
          <label class="w-field set-pick"><span class="w-sr">{{ t("labels.label") }}</span><select v-model="topic"><option v-for="id in topics" :key="id" :value="id">{{ nameOf(id) }}</option></select><w-icon name="chevron-down" /></label></div>
        <p class="w-card-body w-sub">{{ t(topic === "sensitive" ? "labels.sensitive_text" : "labels.words_text") }}</p>
        <div class="w-card-body lab-words"><h3 class="set-sub">{{ t("labels.own_words") }}</h3>
          <form class="lab-add" @submit.prevent="addWord"><label class="w-field"><span class="w-sr">{{ t("labels.word") }}</span><input v-model="word" maxlength="80" autocomplete="off" spellcheck="false" :placeholder="t('labels.word')"></label><button class="w-btn" type="submit" :disabled="busy || !word.trim()"><w-icon name="plus" />{{ t("labels.add_word") }}</button></form>
          <ul v-if="own.added.length" class="set-pills"><li v-for="one in own.added" :key="one" class="w-pill is-accent"><bdi>{{ one }}</bdi><button class="lab-drop" type="button" :disabled="busy" :aria-label="t('labels.drop_word', { word: one })" @click="dropWord(one)"><w-icon name="x" /></button></li></ul>
          <p v-else class="w-meta">{{ t("labels.no_own_words") }}</p>
          <template v-if="packaged.length"><h3 class="set-sub">{{ t("labels.packaged") }}</h3>
            <ul class="set-pills"><li v-for="one in packaged" :key="one.words"><button class="w-pill lab-word" type="button" :class="{ 'is-weak': one.weak }" :aria-pressed="!own.off.includes(one.words)" :disabled="busy" :title="t(one.weak ? 'labels.weak' : 'labels.strong')" @click="flip(one.words)"><bdi>{{ one.words }}</bdi></button></li></ul></template></div>
      </section>
      <div v-if="editing" class="w-scrim" @click.self="editing = null" @keydown.esc="editing = null">
        <form class="w-dialog" role="dialog" aria-modal="true" :aria-label="t(editing.fresh ? 'labels.add' : 'labels.change')" @submit.prevent="keep">
          <h2 class="w-h2">{{ t(editing.fresh ? "labels.add" : "labels.change") }}</h2>
          <label v-if="editing.fresh" class="set-label">{{ t("labels.id") }}<span class="w-field"><input ref="first" v-model="editing.id" required maxlength="40" pattern="[a-z][a-z0-9_]*" autocomplete="off" autocapitalize="none" spellcheck="false"></span><small>{{ t("labels.id_text") }}</small></label>
          <label class="set-label">{{ t("labels.name_en") }}<span class="w-field"><input v-model="editing.en" maxlength="40" autocomplete="off"></span></label>
          <label class="set-label">{{ t("labels.name_zh") }}<span class="w-field"><input v-model="editing.zh" maxlength="40" autocomplete="off"></span></label>
          <fieldset class="set-lives lab-colours"><legend>{{ t("labels.colour") }}</legend><label v-for="name in book.colours" :key="name"><input v-model="editing.colour" type="radio" name="colour" :value="name"><span class="w-pill" :class="'is-' + name">{{ t("labels.colour." + name) }}</span></label></fieldset>
          <p v-if="editing.trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ editing.trouble }}</span></p>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="editing = null">{{ t("cancel") }}</button><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t("labels.keep") }}</button></div>
        </form>
      </div>
      <are-you-sure v-if="sure" :title="t('labels.sure', { name: nameOf(sure.id) })" :text="t('labels.sure_text')" :act="t('labels.turn_off')" @yes="turnOff" @no="sure = null" />
    </div>`,
  data: () => ({ book: null, busy: false, trouble: "", text: "", tried: null, tongue: lang === "zh" ? "zh" : "en", topic: "refund", word: "", lists: {}, editing: null, sure: null, settling: 0 }),
  computed: {
    topics() {
      return [...this.book.labels.map((label) => label.id), SENSITIVE];
    },
    own() {
      return this.book.words.find((one) => one.lang === this.tongue && one.label === this.topic) || { added: [], off: [] };
    },
    packaged() {
      const found = this.lists[this.tongue];
      if (!found) return [];
      if (this.topic === SENSITIVE) return found.sensitive.map((words) => ({ words, weak: false }));
      const { strong = [], weak = [] } = found.labels[this.topic] || {};
      return [...strong.map((words) => ({ words, weak: false })), ...weak.map((words) => ({ words, weak: true }))];
    },
  },
  watch: {
    tongue: "readWords",
  },
  mounted() {
    this.load();
    this.readWords();
  },
  beforeUnmount() {
    clearTimeout(this.settling);
  },
  methods: {
    t, number,
    nameOf: (id) => (id === SENSITIVE ? t("labels.sensitive") : labelName(id)),
    langName: (code) => (code === EVERY ? t("labels.every_language") : new Intl.DisplayNames([lang], { type: "language" }).of(code)),
    take(book) {
      this.book = book;
      keepLabels(book.labels);
    },
    async load() {
      try {
        this.take(await ask("/labels"));
      } catch (error) {
        this.trouble = error.message;
      }
    },
    async readWords() {
      if (this.tongue === EVERY || this.lists[this.tongue]) return;
      const tongue = this.tongue;
      try {
        const found = await ask(`/labels/words/${tongue}`);
        this.lists = { ...this.lists, [tongue]: found };
      } catch (error) {
        this.trouble = error.message;
      }
    },
    typed() {
      clearTimeout(this.settling);
      this.settling = setTimeout(this.tryIt, SETTLE_MS);
    },
    async tryIt() {
      const text = this.text;
      if (!text.trim()) {
        this.tried = null;
        return;
      }
      try {
        const tried = await send("POST", "/labels/try", { text });
        if (text === this.text) Object.assign(this, { tried, trouble: "" });
      } catch (error) {
        this.trouble = error.message;
      }
    },
    // The whole book with one thing changed; what somebody else changed meanwhile is read first, and this has to be done again.
    async save({ labels = this.changedLabels(), words = this.book.words }) {
      this.busy = true;
      try {
        this.take(await send("PUT", "/labels", { labels, words, version: this.book.version }));
        Object.assign(this, { busy: false, trouble: "" });
        toast(t("labels.saved"));
        if (this.tried) this.tryIt();
        return "";
      } catch (error) {
        this.busy = false;
        if (error.status === 409) await this.load();
        return error.message;
      }
    },
    changedLabels() {
      return this.book.labels.filter((label) => label.changed || !label.built_in).map(({ id, names, colour, active }) => ({ id, names, colour, active }));
    },
    withLabel(changed) {
      return [...this.changedLabels().filter((label) => label.id !== changed.id), changed];
    },
    begin(label) {
      const { id = "", names = {}, colour = "grey", active = true } = label || {};
      this.editing = { fresh: !label, id, en: names.en || "", zh: names.zh || "", colour, active, trouble: "" };
      this.$nextTick(() => this.$refs.first && this.$refs.first.focus());
    },
    async keep() {
      const { fresh, id, en, zh, colour, active } = this.editing;
      if (fresh && this.book.labels.some((label) => label.id === id)) {
        this.editing.trouble = t("labels.taken");
        return;
      }
      const names = Object.fromEntries(Object.entries({ en: en.trim(), zh: zh.trim() }).filter(([, name]) => name));
      const wrong = await this.save({ labels: this.withLabel({ id, names, colour, active }) });
      if (wrong) this.editing.trouble = wrong;
      else this.editing = null;
    },
    turn(label) {
      if (label.active) this.sure = label;
      else this.set(label, true);
    },
    turnOff() {
      const label = this.sure;
      this.sure = null;
      this.set(label, false);
    },
    async set({ id, names, colour }, active) {
      this.trouble = await this.save({ labels: this.withLabel({ id, names, colour, active }) });
    },
    async setWords({ added = this.own.added, off = this.own.off }) {
      const others = this.book.words.filter((one) => one.lang !== this.tongue || one.label !== this.topic);
      this.trouble = await this.save({ words: [...others, { lang: this.tongue, label: this.topic, added, off }] });
      return !this.trouble;
    },
    async addWord() {
      const word = this.word.trim();
      if (this.own.added.includes(word) || (await this.setWords({ added: [...this.own.added, word] }))) this.word = "";
    },
    dropWord(word) {
      this.setWords({ added: this.own.added.filter((one) => one !== word) });
    },
    flip(word) {
      const { off } = this.own;
      this.setWords({ off: off.includes(word) ? off.filter((one) => one !== word) : [...off, word] });
    },
  },
};
