// What one customer and we said to each other, over all channels: a conversation each.
import { WIcon, dayMinute, inboxAddress, inboxPlace, t, tn, toMs } from "weir-core";
import { Spot } from "./words.js";

export const Spans = {
  components: { Spot, WIcon },
  props: { items: Array, more: Boolean, busy: Boolean },
  emits: ["more"],
  template: `
    <ol class="ctx-spans"><li v-for="one in items" :key="one.key" :class="{ 'is-here': one.here }">
      <a class="ctx-span" :href="to(one)" :aria-current="one.here ? 'true' : undefined">
        <span class="ctx-span-top"><spot :platform="one.platform" :account="one.account" /><span class="w-meta w-num">{{ dayMinute(toMs(one.last_at)) }}</span></span>
        <span class="ctx-span-text ib-cut">{{ one.last_direction === "out" ? t("ctx.you") + " " : "" }}{{ one.last_text || t("ctx.no_text") }}</span>
        <span class="ctx-span-foot w-meta"><span>{{ tn("ctx.messages_n", one.messages) }}</span><bdi v-if="one.order" class="w-mono">{{ one.order }}</bdi><span>{{ t("ctx.status." + one.status) }}</span><span v-if="one.here" class="w-pill is-accent">{{ t("ctx.here") }}</span></span>
      </a></li></ol>
    <button v-if="more" class="w-btn ctx-more-btn" type="button" :disabled="busy" @click="$emit('more')">{{ t("ctx.more") }}</button>`,
  methods: { t, tn, dayMinute, toMs, to: (one) => inboxAddress({ ...inboxPlace, key: one.key, message: "", pane: "thread" }) },
};
