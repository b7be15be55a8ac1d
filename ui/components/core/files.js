// The files of one message: a small picture where there is one, what may be opened or saved, what still comes, what went wrong and its cure.
import * as Vue from "vue";
import { ApiError, send, toast } from "./api.js";
import { size } from "./format.js";
import { can } from "./live.js";
import { WIcon } from "./parts.js";
import { t } from "./texts.js";

const HOUR_MS = 3_600_000;
const KINDS = ["image", "audio", "video"];
const FINAL = ["ok", "failed", "expired", "unsupported", "too_large", "corrupt"];
const REASONS = ["empty", "hash_differs", "size_differs", "not_the_file", "undecodable", "truncated", "too_many_pixels", "too_costly", "too_large", "expired_url", "unreachable", "private_address", "refused", "no_way", "unbound"];
const CURES = ["re_fetch", "convert", "ask_customer"];

// A customer's file of the last hour of whose fate nothing is known yet.
export const isArriving = (row, now) => row.direction === "in" && !row.history && now - Date.parse(row.at) < HOUR_MS && row.attachments.some((file) => !FINAL.includes(file.status));

export const WFiles = {
  components: { WIcon },
  props: { row: Object, now: Number },
  emits: ["asked"],
  template: `
    <ul class="files"><li v-for="file in row.attachments" :key="file.id" class="file" :class="{ 'is-bad': isBad(file) }">
      <a v-if="file.thumb && !broken[file.id]" class="file-picture" :href="file.href" target="_blank" rel="noopener"><img :src="file.thumb" :alt="nameOf(file)" loading="lazy" @error="broken[file.id] = true" /></a>
      <a v-else-if="file.href" class="file-line w-link" :href="file.href" target="_blank" rel="noopener"><w-icon name="paperclip" />{{ nameOf(file) }}</a>
      <span v-else class="file-line"><w-icon :name="isBad(file) ? 'circle-alert' : 'paperclip'" />{{ nameOf(file) }}</span>
      <span v-if="isBad(file)" class="file-note"><b>{{ whyOf(file) }}</b> {{ cureOf(file) }}</span>
      <span v-else-if="isComing(file)" class="file-note" role="status">{{ t("file.arriving") }}</span>
      <button v-if="isBad(file) && may" class="w-btn" type="button" :disabled="asking[file.id]" @click="refetch(file)"><w-icon name="refresh-cw" />{{ t("file.refetch") }}</button>
    </li></ul>`,
  setup(props, { emit }) {
    const broken = Vue.reactive({}), asking = Vue.reactive({});
    const isBad = (file) => FINAL.includes(file.status) && file.status !== "ok";
    const isComing = (file) => isArriving({ ...props.row, attachments: [file] }, props.now);
    const kindOf = (file) => ((file.found && file.found.mime) || file.mime || file.kind || "").split("/")[0];
    const nameOf = (file) => {
      const kind = kindOf(file), bytes = (file.found && file.found.size) || file.size;
      return [t(KINDS.includes(kind) ? "file.kind." + kind : "file.kind.other"), bytes ? size(bytes) : ""].filter(Boolean).join(" · ");
    };
    const whyOf = (file) => t(REASONS.includes(file.reason) ? "file.reason." + file.reason : "file.status." + file.status);
    const cureOf = (file) => (CURES.includes(file.cure) ? t("file.cure." + file.cure) : "");
    const refetch = async (file) => {
      asking[file.id] = true;
      try {
        const place = `/conversations/${encodeURIComponent(props.row.key)}/messages/${encodeURIComponent(props.row.message)}/attachments/${encodeURIComponent(file.id)}/refetch`;
        await send("POST", place);
        toast(t("file.asked"));
        emit("asked");
      } catch (wrong) {
        if (!(wrong instanceof ApiError)) throw wrong;
        toast(wrong.message, "error");
      } finally {
        asking[file.id] = false;
      }
    };
    return { t, broken, asking, isBad, isComing, nameOf, whyOf, cureOf, refetch, may: can("act_on_anomalies") };
  },
};
