// Who somebody is: their time, language and worth, and every name under which platforms know them.
import { WIcon, can, dayMinute, t, tn, toMs } from "weir-core";
import { languageName } from "weir-inbox";
import { Spot, clockOf, money, nameOf } from "./words.js";

export const PersonFacts = {
  props: { told: Object, now: Number },
  template: `
    <dl class="ctx-facts">
      <div><dt>{{ t("ctx.local_time") }}</dt><dd v-if="clock"><span class="w-num">{{ clock.time }}</span> · {{ clock.place }}<span v-if="!told.local_time.sure" class="w-meta" :title="t('ctx.time.unsure')"> {{ t("ctx.perhaps") }}</span></dd><dd v-else class="w-meta">{{ t("ctx.unknown") }}</dd></div>
      <div v-if="languages.length"><dt>{{ t("ctx.language") }}</dt><dd>{{ languages.join(", ") }}</dd></div>
      <div><dt>{{ t("ctx.since") }}</dt><dd class="w-num">{{ dayMinute(toMs(told.contact.created_at)) }}</dd></div>
      <div><dt>{{ t("ctx.orders") }}</dt><dd class="w-num">{{ tn("ctx.orders_n", told.orders_count) }}</dd></div>
      <div v-if="told.value.length"><dt>{{ t("ctx.value") }}</dt><dd class="w-num"><b v-for="one in told.value" :key="one.currency" class="ctx-amount">{{ money(one.total, one.currency) }}</b></dd></div>
      <div v-for="email in told.emails" :key="email"><dt>{{ t("ctx.email") }}</dt><dd class="ctx-break"><bdi>{{ email }}</bdi></dd></div>
      <div v-for="phone in told.phones" :key="phone"><dt>{{ t("ctx.phone") }}</dt><dd class="w-num"><bdi>{{ phone }}</bdi></dd></div>
    </dl>`,
  computed: {
    clock() {
      return clockOf(this.told.local_time, this.now);
    },
    languages() {
      return [...new Set([this.told.language, ...this.told.contact.langs].filter(Boolean))].map(languageName);
    },
  },
  methods: { t, tn, money, dayMinute, toMs },
};

export const Identities = {
  components: { Spot, WIcon },
  props: { told: Object, busy: Boolean },
  emits: ["apart"],
  template: `
    <ul class="ctx-identities"><li v-for="one in told.identities" :key="one.contact">
      <spot :platform="one.platform" :account="one.account" />
      <bdi class="ctx-name ctx-break">{{ nameOf(one) }}</bdi>
      <bdi v-if="one.id && one.id !== one.name" class="w-meta w-mono ctx-break">{{ one.id }}</bdi>
      <span v-if="one.merged_at" class="w-meta">{{ t("ctx.merged_by", { name: one.merged_by || "", time: dayMinute(toMs(one.merged_at)) }) }}</span>
      <button v-if="one.removable && may" class="w-btn ctx-apart" type="button" :disabled="busy" @click="$emit('apart', one)"><w-icon name="undo-2" />{{ t("ctx.apart") }}</button>
    </li></ul>
    <p v-if="others.length" class="w-meta ctx-break">{{ t("ctx.aliases") }} <bdi v-for="(name, index) in others" :key="name" class="w-mono">{{ index ? ", " : "" }}{{ name }}</bdi></p>`,
  data: () => ({ may: can("reply") }),
  computed: {
    others() {
      const shown = this.told.identities.map((one) => one.id);
      return (this.told.aliases || []).map((one) => one.name).filter((name) => !shown.includes(name));
    },
  },
  methods: { t, nameOf, dayMinute, toMs },
};
