// What conversations are labelled: the built-in names, and what they are called.
import { t } from "weir-core";

export const LABELS = ["logistics", "refund", "return_exchange", "after_sales", "complaint", "product_enquiry", "promotion", "order_change", "payment", "account", "other"];

// By its name in the catalogue, else as somebody wrote it.
export function labelName(name) {
  return LABELS.includes(name) ? t(`label.${name}`) : name;
}
