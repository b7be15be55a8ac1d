// Templates of replies: by folder, with a wording for each platform and language, their use, and those that should be gone through.
import { WIcon, ask, can, dayMinute, moment, number, platformName, send, t, tn, toast } from "weir-core";
import { AreYouSure, SettingsHead } from "weir-admin";
import { languageName } from "weir-inbox";
import { TemplateEditor } from "weir-thread";

export default {
  components: { AreYouSure, SettingsHead, TemplateEditor, WIcon },
  template: `
    <div class="set"><settings-head here="templates" />
      <section class="w-card" :aria-label="t('settings.templates')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("templates.title") }}</h2>
          <div class="w-seg" role="group" :aria-label="t('templates.which')"><button v-for="name in ['used', 'stale', 'all']" :key="name" type="button" :aria-pressed="which === name" @click="which = name">{{ t("templates.which." + name) }}<span class="n">{{ counts[name] }}</span></button></div>
          <label class="w-field set-find"><w-icon name="search" /><input v-model="wanted" type="search" :placeholder="t('templates.find')" :aria-label="t('templates.find')" maxlength="100"></label>
          <button v-if="may" class="w-btn is-primary" type="button" @click="begin"><w-icon name="plus" />{{ t("templates.add") }}</button></div>
        <p class="w-card-body w-sub">{{ t("templates.text") }}</p>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <div v-if="shown.length" class="w-scroll-x"><table class="w-table set-table">
          <thead><tr><th scope="col">{{ t("templates.name") }}</th><th scope="col">{{ t("templates.wordings") }}</th><th scope="col" class="r">{{ t("templates.use") }}</th><th scope="col">{{ t("templates.changed") }}</th><th scope="col"><span class="w-sr">{{ t("settings.actions") }}</span></th></tr></thead>
          <tbody v-for="group in groups" :key="group.folder">
            <tr class="tp-folder"><th scope="rowgroup" colspan="5"><bdi>{{ group.folder || t("templates.no_folder") }}</bdi></th></tr>
            <tr v-for="one in group.items" :key="one.id" :class="{ 'is-off': !one.active }">
              <td class="set-break"><b><bdi>{{ one.name }}</bdi></b><span v-if="!one.active" class="w-pill tp-pill">{{ t("templates.inactive") }}</span><span v-else-if="one.stale" class="w-pill is-amber tp-pill" :title="t('templates.stale.' + one.stale)">{{ t("templates.stale") }}</span><span class="tp-text" dir="auto">{{ one.texts[0].text }}</span></td>
              <td :data-label="t('templates.wordings')"><span v-for="(text, index) in one.texts.slice(0, 6)" :key="index" class="tp-wording">{{ wordingName(text) }}</span><span v-if="one.texts.length > 6" class="w-meta">{{ tn("templates.more", one.texts.length - 6) }}</span></td>
              <td class="r w-num" :data-label="t('templates.use')"><b>{{ number(one.used) }}</b><span class="w-meta tp-last">{{ one.last_used_at ? dayMinute(toMs(one.last_used_at)) : t("templates.never") }}</span></td>
              <td class="set-quiet" :data-label="t('templates.changed')" :title="moment(toMs(one.changed_at))"><span class="w-num">{{ dayMinute(toMs(one.changed_at)) }}</span> · <bdi>{{ one.changed_by }}</bdi></td>
              <td class="r set-acts"><button class="w-btn" type="button" @click="open(one)"><w-icon :name="may ? 'pencil' : 'eye'" />{{ t(may ? "templates.edit" : "templates.look") }}</button></td>
            </tr></tbody>
        </table></div>
        <p v-else-if="templates" class="w-empty"><w-icon name="zap" /><b>{{ t(templates.length ? "templates.none" : "templates.none_yet") }}</b></p>
        <p v-else-if="!trouble" class="w-empty">{{ t("loading") }}</p>
      </section>
      <template-editor v-if="editing" :template="editing" :folders="folders" :variables="variables" :fixed="!may" :busy="busy" :trouble="editorTrouble" @save="save" @delete="asked = editing" @close="editing = null" />
      <are-you-sure v-if="asked" :title="t('templates.sure', { name: asked.name })" :text="t('templates.sure_text')" :act="t('templates.delete')" danger @yes="remove" @no="asked = null" />
    </div>`,
  data: () => ({ templates: null, variables: [], which: "used", wanted: "", trouble: "", editorTrouble: "", busy: false, editing: null, asked: null, may: can("manage_templates") }),
  computed: {
    found() {
      const words = this.wanted.toLowerCase().split(/\s+/).filter(Boolean);
      const hay = (one) => `${one.name}\n${one.folder}\n${one.texts.map((text) => text.text).join("\n")}`.toLowerCase();
      return (this.templates || []).filter((one) => words.every((word) => hay(one).includes(word)));
    },
    counts() {
      return { used: this.found.filter((one) => one.active).length, stale: this.found.filter((one) => one.active && one.stale).length, all: this.found.length };
    },
    shown() {
      return this.found.filter((one) => this.which === "all" || (one.active && (this.which === "used" || one.stale)));
    },
    groups() {
      const folders = new Map();
      for (const one of this.shown) folders.set(one.folder, [...(folders.get(one.folder) || []), one]);
      return [...folders].map(([folder, items]) => ({ folder, items }));
    },
    folders() {
      return [...new Set((this.templates || []).map((one) => one.folder).filter(Boolean))];
    },
  },
  mounted() {
    this.load();
  },
  methods: {
    t, tn, number, dayMinute, moment,
    toMs: (at) => Date.parse(at),
    wordingName: (text) => [text.platform ? platformName(text.platform) : t("templates.any_platform"), text.lang ? languageName(text.lang) : t("templates.any_lang")].join(" · "),
    async load() {
      try {
        const found = await ask("/templates");
        Object.assign(this, { templates: found.items, variables: found.variables, trouble: "" });
      } catch (error) {
        this.trouble = error.message;
      }
    },
    begin() {
      this.editorTrouble = "";
      this.editing = { id: "", name: "", folder: "", active: true, version: 0, texts: [{ text: "", platform: null, lang: null }] };
    },
    open(one) {
      this.editorTrouble = "";
      this.editing = one;
    },
    async attempt(act) {
      Object.assign(this, { busy: true, editorTrouble: "" });
      try {
        await act();
        this.editing = null;
        await this.load();
      } catch (error) {
        this.editorTrouble = error.message;
      }
      this.busy = false;
    },
    save(wanted) {
      const { id, version } = this.editing;
      return this.attempt(async () => {
        await (id ? send("PUT", `/templates/${encodeURIComponent(id)}`, { ...wanted, version }) : send("POST", "/templates", wanted));
        toast(t("templates.saved", { name: wanted.name }));
      });
    },
    remove() {
      const { id, name } = this.asked;
      this.asked = null;
      return this.attempt(async () => {
        await send("DELETE", `/templates/${encodeURIComponent(id)}`);
        toast(t("templates.deleted", { name }));
      });
    },
  },
};
