// Who may be the same person, with what speaks for it. A person decides; what was decided can be taken back at once.
import { WIcon, can, dayMinute, t, tn, toMs } from "weir-core";
import { Spot, nameOf } from "./words.js";

const ICONS = { same_email: "mail", told_email: "mail", same_phone: "bell", same_order: "package", same_account: "user", same_name: "user" };

export const Suggestions = {
  components: { Spot, WIcon },
  props: { found: Array, merged: Object, busy: Boolean },
  emits: ["merge", "dismiss", "apart"],
  template: `
    <div class="ctx-suggestions" role="group" :aria-label="t('ctx.same')">
      <div v-if="merged" class="ctx-same is-done" role="status"><w-icon name="check" /><span class="ctx-break">{{ t("ctx.merged", { name: merged.name }) }}</span><button class="w-btn" type="button" :disabled="busy" @click="$emit('apart', merged)"><w-icon name="undo-2" />{{ t("ctx.undo") }}</button></div>
      <section v-for="one in found" :key="one.contact.id" class="ctx-same" :class="'is-' + one.strength">
        <h3 class="ctx-same-head"><w-icon name="users" />{{ t("ctx.same.ask") }}</h3>
        <ul class="ctx-same-who"><li v-for="each in one.contact.identities" :key="each.contact"><spot :platform="each.platform" :account="each.account" /><bdi class="ctx-name ctx-break">{{ nameOf(each) }}</bdi><span class="w-meta">{{ t("ctx.seen", { time: dayMinute(toMs(each.seen_at)) }) }}</span></li></ul>
        <ul class="ctx-reasons" :aria-label="t('ctx.reasons')"><li v-for="reason in one.reasons" :key="reason.kind + reason.value"><w-icon :name="icons[reason.kind] || 'user'" /><span class="ctx-break"><b>{{ t("ctx.reason." + reason.kind) }}</b> <bdi>{{ reason.value }}</bdi></span><span class="w-pill" :class="{ 'is-green': reason.strength === 'strong', 'is-amber': reason.strength === 'medium' }">{{ t("ctx.strength." + reason.strength) }}</span></li></ul>
        <div v-if="may" class="ctx-deeds"><button class="w-btn is-primary" type="button" :disabled="busy" @click="$emit('merge', one)">{{ t("ctx.merge") }}</button><button class="w-btn" type="button" :disabled="busy" @click="$emit('dismiss', one)">{{ t("ctx.not_same") }}</button></div>
        <p class="w-meta">{{ t("ctx.merge.help") }}</p>
      </section></div>`,
  data: () => ({ icons: ICONS, may: can("reply") }),
  methods: { t, tn, nameOf, dayMinute, toMs },
};
