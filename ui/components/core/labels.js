// Labels of conversations: what they are called here and which colour they have, as the catalogue of the deployment says.
import * as Vue from "vue";
import { ask } from "./api.js";
import { lang, t } from "./texts.js";

export const BUILT_IN_LABELS = ["logistics", "refund", "return_exchange", "after_sales", "complaint", "product_enquiry", "promotion", "order_change", "payment", "account", "other"];
const PACKAGED = BUILT_IN_LABELS.map((id) => ({ id, names: {}, colour: "grey", active: true }));

// Until the catalogue has come, and where nobody may read it, the built-in labels are known.
export const labelBook = Vue.shallowReactive({ labels: PACKAGED, by: new Map(PACKAGED.map((label) => [label.id, label])) });
let asked = null;

export function keepLabels(labels) {
  Object.assign(labelBook, { labels, by: new Map(labels.map((label) => [label.id, label])) });
}

// Reads the catalogue, once for all who ask; `anew` after a change.
export function loadLabels(anew = false) {
  if (!asked || anew) {
    asked = ask("/labels").then((found) => keepLabels(found.labels), () => {
      asked = null;
    });
  }
  return asked;
}

// In the language of the screen, else in the other one, else as it is written.
export function labelName(id) {
  const { names = {} } = labelBook.by.get(id) || {};
  return names[lang] || (BUILT_IN_LABELS.includes(id) ? t(`label.${id}`) : names.en || names.zh || id);
}

export const activeLabels = () => labelBook.labels.filter((label) => label.active).map((label) => label.id);

export const WLabel = {
  name: "WLabel",
  props: { id: { type: String, required: true }, colour: { type: String, default: "" } },
  template: `<span class="w-pill w-label" :class="'is-' + (colour || (book.by.get(id) || {}).colour || 'grey')"><bdi>{{ labelName(id) }}</bdi></span>`,
  data: () => ({ book: labelBook }),
  methods: { labelName },
};
