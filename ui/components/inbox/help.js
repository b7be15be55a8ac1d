// All keys of the inbox, from the table that drives them.
import { t } from "weir-core";
import { KEYS, wordsOfKey } from "./keys.js";

const GROUPS = ["list", "conversation", "window"];

export const InboxHelp = {
  emits: ["close"],
  template: `
    <div class="w-scrim" @click.self="$emit('close')" @keydown.esc.stop="$emit('close')">
      <section ref="box" class="w-dialog ib-help" role="dialog" aria-modal="true" :aria-label="t('inbox.keys')" tabindex="-1">
        <h2 class="w-h2">{{ t("inbox.keys") }}</h2>
        <div class="ib-help-groups"><div v-for="group in groups" :key="group.name"><h3 class="w-meta">{{ t("inbox.keys." + group.name) }}</h3>
          <dl><div v-for="entry in group.entries" :key="entry.id"><dt><template v-for="word in wordsOfKey(entry)" :key="word"><kbd class="w-kbd">{{ word }}</kbd></template></dt><dd>{{ t("inbox.key." + entry.id) }}</dd></div></dl></div></div>
        <div class="w-dialog-actions"><button class="w-btn" type="button" @click="$emit('close')">{{ t("close") }}</button></div>
      </section>
    </div>`,
  data: () => ({ groups: GROUPS.map((name) => ({ name, entries: KEYS.filter((entry) => entry.group === name) })) }),
  mounted() {
    this.before = document.activeElement;
    this.$refs.box.focus();
  },
  unmounted() {
    if (this.before && this.before.isConnected) this.before.focus();
  },
  methods: { t, wordsOfKey },
};
