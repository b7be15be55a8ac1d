// A password or token, shown once: it is in this window and nowhere else.
import { WIcon, t, toast } from "weir-core";

export const OnceShown = {
  name: "OnceShown",
  components: { WIcon },
  props: { title: String, text: String, secret: String },
  emits: ["done"],
  template: `
    <div class="w-scrim"><section class="w-dialog" role="dialog" aria-modal="true" :aria-label="title" @keydown.esc.stop>
      <h2 class="w-h2">{{ title }}</h2><p class="w-sub">{{ text }}</p>
      <div class="set-secret"><code ref="words" class="w-mono">{{ secret }}</code><button ref="copy" class="w-btn" type="button" @click="copy"><w-icon :name="copied ? 'check' : 'copy'" />{{ t(copied ? "settings.copied" : "settings.copy") }}</button></div>
      <p class="w-banner is-amber"><w-icon name="triangle-alert" /><span>{{ t("settings.once") }}</span></p>
      <div class="w-dialog-actions"><button class="w-btn is-primary" type="button" @click="$emit('done')">{{ t("settings.noted") }}</button></div>
    </section></div>`,
  data: () => ({ copied: false }),
  mounted() {
    this.$refs.copy.focus();
  },
  methods: {
    t,
    async copy() {
      try {
        await navigator.clipboard.writeText(this.secret);
        this.copied = true;
      } catch {
        // Without a secure connection browsers refuse; the text is selected so that the keyboard can copy it.
        getSelection().selectAllChildren(this.$refs.words);
        toast(t("settings.copy_by_hand"), "error");
      }
    },
  },
};
