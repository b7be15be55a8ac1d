// Asks before something that cannot be taken back at once.
import { t } from "weir-core";

export const AreYouSure = {
  name: "AreYouSure",
  props: { title: String, text: String, act: String, danger: Boolean },
  emits: ["yes", "no"],
  template: `
    <div class="w-scrim" @click.self="$emit('no')" @keydown.esc="$emit('no')">
      <form class="w-dialog" role="dialog" aria-modal="true" :aria-label="title" @submit.prevent="$emit('yes')">
        <h2 class="w-h2 set-break">{{ title }}</h2><p class="w-sub">{{ text }}</p>
        <div class="w-dialog-actions"><button ref="no" class="w-btn" type="button" @click="$emit('no')">{{ t("cancel") }}</button><button class="w-btn" :class="danger ? 'is-danger' : 'is-primary'" type="submit">{{ act }}</button></div>
      </form>
    </div>`,
  mounted() {
    this.$refs.no.focus();
  },
  methods: { t },
};
