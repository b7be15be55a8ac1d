// What people say of a customer: tags and a note. Kept at once; whoever was faster is read anew.
import { WIcon, can, t } from "weir-core";


export const TagBox = {
  components: { WIcon },
  props: { tags: Array, busy: Boolean },
  emits: ["said"],
  template: `
    <div class="ctx-tags"><ul v-if="tags.length"><li v-for="tag in tags" :key="tag" class="w-pill"><bdi>{{ tag }}</bdi><button v-if="may" class="ctx-x" type="button" :disabled="busy" :aria-label="t('ctx.tag.remove', { tag })" @click="$emit('said', { tags: tags.filter((one) => one !== tag) })"><w-icon name="x" /></button></li></ul>
      <span v-else-if="!may" class="w-meta">{{ t("ctx.tags.none") }}</span>
      <form v-if="may" class="w-field ctx-tag-new" @submit.prevent="add"><w-icon name="tag" /><input v-model="draft" maxlength="50" :placeholder="t('ctx.tag.add')" :aria-label="t('ctx.tag.add')" /></form></div>`,
  data: () => ({ draft: "", may: can("reply") }),
  methods: {
    t,
    add() {
      const tag = this.draft.trim();
      if (tag && !this.tags.includes(tag)) this.$emit("said", { tags: [...this.tags, tag] });
      this.draft = "";
    },
  },
};

export const NoteBox = {
  components: { WIcon },
  props: { note: String, busy: Boolean },
  emits: ["said"],
  template: `
    <div class="ctx-note"><form v-if="editing" @submit.prevent="keep"><label class="w-field ctx-area"><textarea ref="area" v-model="draft" rows="4" maxlength="4000" :aria-label="t('ctx.note')" @keydown.esc.stop="editing = false"></textarea></label>
        <div class="ctx-deeds"><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t("save") }}</button><button class="w-btn is-quiet" type="button" @click="editing = false">{{ t("cancel") }}</button></div></form>
      <template v-else><p v-if="note" class="ctx-note-text">{{ note }}</p><button v-if="may" class="w-btn is-quiet ctx-note-edit" type="button" @click="edit"><w-icon name="pencil" />{{ t(note ? "ctx.note.edit" : "ctx.note.add") }}</button></template></div>`,
  data: () => ({ draft: "", editing: false, may: can("reply") }),
  watch: {
    note() {
      this.editing = false;
    },
  },
  methods: {
    t,
    edit() {
      Object.assign(this, { draft: this.note || "", editing: true });
      this.$nextTick(() => this.$refs.area.focus());
    },
    keep() {
      this.editing = false;
      if (this.draft.trim() !== (this.note || "")) this.$emit("said", { note: this.draft.trim() });
    },
  },
};
