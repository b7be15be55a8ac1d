// What a message says: the text with its links, and beside it the translation, with what must not differ marked where it does.
import { WIcon, WLinked, lang, t } from "weir-core";
import { languageName } from "weir-inbox";
import { differing } from "./differing.js";

const nameOf = (code, other) => (code ? languageName(code.replace("_", "-")) : t(other));

// The translation for whoever looks: into the language of the screen, else the last one.
export const translationOf = (item) => (item.translations || []).find((one) => (one.target || "").startsWith(lang)) || (item.translations || []).at(-1);

export const ThreadWords = {
  name: "ThreadWords",
  components: { WIcon, WLinked },
  props: { item: Object, both: Boolean },
  emits: ["toggle"],
  template: `
    <div v-if="translation" class="th-sides" :class="{ 'is-both': both }">
      <div class="th-side" :lang="item.lang || undefined"><span v-if="both" class="th-side-name">{{ sourceName }}</span><p class="th-text" dir="auto"><template v-for="(part, index) in sides[0]" :key="index"><mark v-if="part.differs && both" class="th-differs">{{ part.text }}</mark><w-linked v-else :text="part.text" :links="index === 0 && sides[0].length === 1 ? item.links : []" /></template></p></div>
      <div v-if="both" class="th-side is-translation" :lang="translation.target || undefined"><span class="th-side-name"><w-icon name="languages" />{{ targetName }}</span><p class="th-text" dir="auto"><template v-for="(part, index) in sides[1]" :key="index"><mark v-if="part.differs" class="th-differs">{{ part.text }}</mark><w-linked v-else :text="part.text" /></template></p></div>
      <p v-if="differs && both" class="th-warn"><w-icon name="triangle-alert" />{{ t("thread.differs") }}</p>
      <button class="th-toggle" type="button" @click="$emit('toggle')"><w-icon name="languages" />{{ t(both ? "thread.only_original" : "thread.translated") }}</button>
    </div>
    <p v-else-if="item.text" class="th-text" dir="auto" :lang="item.lang || undefined"><w-linked :text="item.text" :links="item.links" :fold="fold" /></p>
    <p v-else-if="!item.attachments.length" class="th-text is-none">{{ t("find.no_text") }}</p>`,
  computed: {
    // Where the quoted history of a mail begins.
    fold() {
      return (this.item.extra || {}).quoted_from;
    },
    translation() {
      return this.item.text ? translationOf(this.item) : null;
    },
    sides() {
      return differing(this.item.text, this.translation.text);
    },
    differs() {
      return this.sides.some((side) => side.some((part) => part.differs));
    },
    sourceName() {
      return nameOf(this.translation.source || this.item.lang, "thread.original");
    },
    targetName() {
      return nameOf(this.translation.target, "thread.translation");
    },
  },
  methods: { t },
};
