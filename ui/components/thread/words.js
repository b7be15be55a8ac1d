// What a message says: the text with its links, and beside it the translation, with what must not differ marked where it does.
import { WIcon, WLinked, lang, t } from "weir-core";
import { languageName } from "weir-inbox";
import { differing } from "./differing.js";

const nameOf = (code, other) => (code ? languageName(code.replace("_", "-")) : t(other));

// The translation for whoever looks: into the language of the screen, else the last one.
export const translationOf = (item) => (item.translations || []).find((one) => (one.target || "").startsWith(lang)) || (item.translations || []).at(-1);

// What a message is that holds no words but a card or a sticker, by the platforms' names and by ours of what was begun.
const CARDS = new Map([
  ...["sticker", "emoji", "EMOTICONS"].map((kind) => [kind, "sticker"]),
  ...["item", "PRODUCT_CARD", "productCard"].map((kind) => [kind, "product"]),
  ...["order", "ORDER_CARD", "orderCard"].map((kind) => [kind, "order"]),
  ...["voucher", "COUPON_CARD", "couponCard"].map((kind) => [kind, "coupon"]),
  ...["LOGISTICS_CARD", "parcelCard"].map((kind) => [kind, "parcel"]),
  ["RETURN_REFUND_CARD", "refund"],
  ["follow_invite", "follow"],
]);

export const ThreadWords = {
  name: "ThreadWords",
  components: { WIcon, WLinked },
  props: { item: Object, both: Boolean },
  emits: ["toggle"],
  template: `
    <p v-if="card" class="th-text is-none">{{ t("thread.card." + card) }} <bdi v-if="shown" class="w-mono">{{ shown }}</bdi></p>
    <div v-if="translation" class="th-sides" :class="{ 'is-both': both }">
      <div class="th-side" :lang="item.lang || undefined"><span v-if="both" class="th-side-name">{{ sourceName }}</span><p class="th-text" dir="auto"><template v-for="(part, index) in sides[0]" :key="index"><mark v-if="part.differs && both" class="th-differs">{{ part.text }}</mark><w-linked v-else :text="part.text" :links="index === 0 && sides[0].length === 1 ? item.links : []" /></template></p></div>
      <div v-if="both" class="th-side is-translation" :lang="translation.target || undefined"><span class="th-side-name"><w-icon name="languages" />{{ targetName }}</span><p class="th-text" dir="auto"><template v-for="(part, index) in sides[1]" :key="index"><mark v-if="part.differs" class="th-differs">{{ part.text }}</mark><w-linked v-else :text="part.text" /></template></p></div>
      <p v-if="differs && both" class="th-warn"><w-icon name="triangle-alert" />{{ t("thread.differs") }}</p>
      <button class="th-toggle" type="button" @click="$emit('toggle')"><w-icon name="languages" />{{ t(both ? "thread.only_original" : "thread.translated") }}</button>
    </div>
    <p v-else-if="item.text" class="th-text" dir="auto" :lang="item.lang || undefined"><w-linked :text="item.text" :links="item.links" :fold="fold" /></p>
    <p v-else-if="!item.attachments.length && !card" class="th-text is-none">{{ t("find.no_text") }}</p>`,
  computed: {
    // Where the quoted history of a mail begins.
    fold() {
      return (this.item.extra || {}).quoted_from;
    },
    card() {
      return this.item.attachments.length ? undefined : CARDS.get((this.item.extra || {}).kind);
    },
    // The number of what a card shows, where the platform tells one and the text does not say it already.
    shown() {
      const { item, product, coupon } = this.item.extra || {};
      return this.item.text ? null : item || product || coupon || (this.card === "order" ? this.item.order : null);
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
