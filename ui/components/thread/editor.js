// One template: its name, its folder, and the matrix of its wordings, a platform a row and a language a column; what it would say.
import { WIcon, platformName, t } from "weir-core";
import { languageName } from "weir-inbox";
import { HOLE } from "./templates.js";

const PLATFORMS = ["amazon", "ebay", "shopee", "lazada", "tiktok", "temu", "wish", "aliexpress", "mercadolibre", "shopify", "woocommerce", "messenger", "instagram", "whatsapp", "telegram", "line", "email", "webchat"];
const LANGS = ["en", "zh", "de", "fr", "es", "pt", "it", "th", "vi", "id", "ms", "ja", "ko", "nl", "pl", "ru", "tr", "ar"];
const SAMPLE = { "contact.name": "Li Wei", "contact.first_name": "Li", "order.number": "A-1042", "order.status": "shipped", "order.total": "49.90 EUR", "order.item": "Mug", "tracking.number": "1Z999AA10123456784", "tracking.carrier": "UPS", "tracking.link": "https://example.com/1Z999AA10123456784", shop: "sg-1", platform: "shopee" };

export const TemplateEditor = {
  name: "TemplateEditor",
  components: { WIcon },
  props: { template: Object, folders: Array, variables: Array, fixed: Boolean, busy: Boolean, trouble: String },
  emits: ["save", "delete", "close"],
  template: `
    <div class="w-scrim" @click.self="$emit('close')" @keydown.esc="$emit('close')"><form class="w-dialog tp-editor" role="dialog" aria-modal="true" :aria-label="title" @submit.prevent="save">
      <h2 class="w-h2">{{ title }}</h2>
      <div class="tp-names"><label class="set-label">{{ t("templates.name") }}<span class="w-field"><input ref="name" v-model="name" required maxlength="120" autocomplete="off" :disabled="fixed"></span></label>
        <label class="set-label">{{ t("templates.folder") }}<span class="w-field"><input v-model="folder" maxlength="120" autocomplete="off" list="tp-folders" :disabled="fixed"></span></label><datalist id="tp-folders"><option v-for="one in folders" :key="one" :value="one"></option></datalist></div>
      <div class="w-scroll-x"><table class="tp-matrix" :aria-label="t('templates.wordings')"><thead><tr><td></td><th v-for="lang in langs" :key="lang" scope="col">{{ langName(lang) }}</th></tr></thead>
        <tbody><tr v-for="platform in platforms" :key="platform"><th scope="row">{{ placeName(platform) }}</th><td v-for="lang in langs" :key="lang"><button type="button" :class="{ 'is-there': cell(platform, lang), 'is-at': platform === at.platform && lang === at.lang }" :aria-pressed="platform === at.platform && lang === at.lang" :aria-label="placeName(platform) + ' · ' + langName(lang) + ': ' + t(cell(platform, lang) ? 'templates.there' : 'templates.empty')" @click="at = { platform, lang }"><w-icon :name="cell(platform, lang) ? 'check' : 'plus'" /></button></td></tr></tbody></table></div>
      <div v-if="!fixed" class="tp-adds"><label class="w-field"><span class="w-sr">{{ t("templates.add_platform") }}</span><select value="" @change="addPlatform"><option value="">{{ t("templates.add_platform") }}</option><option v-for="one in otherPlatforms" :key="one" :value="one">{{ platformName(one) }}</option></select><w-icon name="chevron-down" /></label>
        <label class="w-field"><span class="w-sr">{{ t("templates.add_lang") }}</span><select value="" @change="addLang"><option value="">{{ t("templates.add_lang") }}</option><option v-for="one in otherLangs" :key="one" :value="one">{{ languageName(one) }}</option></select><w-icon name="chevron-down" /></label></div>
      <label class="set-label">{{ placeName(at.platform) }} · {{ langName(at.lang) }}<span class="w-field tp-area"><textarea ref="text" :value="words" :aria-label="t('templates.area')" rows="5" maxlength="20000" dir="auto" :lang="at.lang || undefined" :disabled="fixed" :placeholder="t('templates.words')" @input="write($event.target.value)"></textarea></span></label>
      <div v-if="!fixed" class="tp-variables"><button v-for="one in variables" :key="one" class="w-mono" type="button" @click="insert(one)">{{ braced(one) }}</button></div>
      <section v-if="words" class="tp-preview" :aria-label="t('templates.preview')"><b class="w-meta">{{ t("templates.preview") }}</b><p dir="auto"><template v-for="(part, index) in preview" :key="index"><mark v-if="part.open">{{ part.text }}</mark><b v-else-if="part.filled">{{ part.text }}</b><template v-else>{{ part.text }}</template></template></p></section>
      <label v-if="!fixed" class="tp-active"><input v-model="active" type="checkbox">{{ t("templates.active") }}</label>
      <p v-if="trouble || own" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble || own }}</span></p>
      <div class="w-dialog-actions"><button v-if="template.id && !fixed" class="w-btn is-danger tp-delete" type="button" :disabled="busy" @click="$emit('delete')"><w-icon name="trash-2" />{{ t("templates.delete") }}</button><button class="w-btn" type="button" @click="$emit('close')">{{ t(fixed ? "close" : "cancel") }}</button><button v-if="!fixed" class="w-btn is-primary" type="submit" :disabled="busy">{{ t("templates.save") }}</button></div>
    </form></div>`,
  data() {
    const { name, folder, active, texts } = this.template;
    const list = texts.map((one) => ({ ...one, platform: one.platform || "", lang: one.lang || "" }));
    return { name, folder, active, texts: list, at: { platform: list[0].platform, lang: list[0].lang }, platforms: [...new Set(["", ...list.map((one) => one.platform)])], langs: [...new Set(["", ...list.map((one) => one.lang)])], own: "" };
  },
  computed: {
    title() {
      return this.template.id ? this.template.name : t("templates.add");
    },
    words() {
      const here = this.cell(this.at.platform, this.at.lang);
      return here ? here.text : "";
    },
    otherPlatforms() {
      return PLATFORMS.filter((one) => !this.platforms.includes(one));
    },
    otherLangs() {
      return LANGS.filter((one) => !this.langs.includes(one));
    },
    // As it would be sent to somebody made up; what nothing is known of stays to be filled in.
    preview() {
      const parts = [];
      let end = 0;
      for (const hole of this.words.matchAll(HOLE)) {
        if (hole.index > end) parts.push({ text: this.words.slice(end, hole.index) });
        const known = hole[0] === "{agent.name}" ? window.weir.me.name : SAMPLE[hole[0].slice(1, -1)];
        parts.push(known ? { text: known, filled: true } : { text: hole[0], open: true });
        end = hole.index + hole[0].length;
      }
      if (end < this.words.length) parts.push({ text: this.words.slice(end) });
      return parts;
    },
  },
  mounted() {
    this.$refs.name.focus();
  },
  methods: {
    t, platformName, languageName,
    braced: (name) => `{${name}}`,
    placeName: (platform) => (platform ? platformName(platform) : t("templates.any_platform")),
    langName: (lang) => (lang ? languageName(lang) : t("templates.any_lang")),
    cell(platform, lang) {
      return this.texts.find((one) => one.platform === platform && one.lang === lang && one.text.trim());
    },
    write(text) {
      const { platform, lang } = this.at;
      const rest = this.texts.filter((one) => one.platform !== platform || one.lang !== lang);
      this.texts = text ? [...rest, { text, platform, lang }] : rest;
    },
    insert(name) {
      const { text } = this.$refs;
      const from = text.selectionStart;
      this.write(`${this.words.slice(0, from)}{${name}}${this.words.slice(text.selectionEnd)}`);
      this.$nextTick(() => {
        text.focus();
        text.setSelectionRange(from + name.length + 2, from + name.length + 2);
      });
    },
    addPlatform(event) {
      const platform = event.target.value;
      event.target.value = "";
      if (!platform) return;
      this.platforms = [...this.platforms, platform];
      this.at = { ...this.at, platform };
    },
    addLang(event) {
      const lang = event.target.value;
      event.target.value = "";
      if (!lang) return;
      this.langs = [...this.langs, lang];
      this.at = { ...this.at, lang };
    },
    save() {
      const texts = this.texts.filter((one) => one.text.trim()).map((one) => ({ text: one.text, platform: one.platform || null, lang: one.lang || null }));
      this.own = texts.length ? "" : t("templates.nothing");
      if (texts.length) this.$emit("save", { name: this.name, folder: this.folder, active: this.active, texts });
    },
  },
};
