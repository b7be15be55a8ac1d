// What the platform says to an answer while it is written: what is left, what blocks it, what it dislikes. Under the box.
import { WIcon, can, duration, isNumber, number, platformName, size, t, tn, toMs } from "weir-core";

const CANNOT = ["unbound", "read_only"];
const SOON_MS = 3_600_000;
const KNOWN = ["window_closed", "empty", "files_alone", "text_too_long", "forbidden_links", "forbidden_emails", "forbidden_phones", "too_many_files", "text_with_files", "file_too_large", "file_kind", "unfilled", "link", "email", "phone", "promo", "elsewhere", "shouting", "exclaiming", "long"];

// An objection or a warning in the language of the screen; one that the catalogue does not know as the server says it.
export function ruleWords({ code, text, figures = {} }) {
  if (!KNOWN.includes(code)) return text;
  const filled = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, isNumber(value) ? (name === "most" && code === "file_too_large") || name === "bytes" ? size(value) : number(value) : value]));
  return t(code === "window_closed" && figures.templates ? "rule.window_templates" : `rule.${code}`, filled);
}

export const ComposerRules = {
  name: "ComposerRules",
  components: { WIcon },
  emits: ["compress"],
  props: { told: Object, platform: String, text: String, files: Array, now: Number, mode: String, open: Array, hide: Boolean },
  template: `
    <div class="cp-rules">
      <p v-if="mode === 'note'" class="cp-bar"><span>{{ t("composer.note_text") }}</span></p>
      <p v-else-if="told && !told.sendable" class="cp-rule is-block"><w-icon name="circle-alert" /><span>{{ cannot }} <a v-if="told.code === 'unbound' && can('manage_channels')" class="w-link" href="/settings/channels">{{ t("settings.channels") }}</a></span></p>
      <p v-else-if="told" class="cp-bar"><b>{{ platformName(platform) }}</b><span v-for="one in bar" :key="one.name" :class="one.tone && 'is-' + one.tone">{{ one.text }}</span></p>
      <ul v-if="mode === 'reply' && told && told.sendable && !hide" class="cp-found" aria-live="polite">
        <li v-for="(one, index) in blocking" :key="'o' + index" class="cp-rule is-block"><w-icon name="circle-alert" /><span>{{ ruleWords(one) }}</span><button v-if="one.figures && one.figures.compressed" class="w-btn" type="button" @click="$emit('compress')">{{ t("composer.compress", { size: size(one.figures.compressed) }) }}</button></li>
        <li v-for="(one, index) in told.warnings" :key="'w' + index" class="cp-rule is-warn"><w-icon name="triangle-alert" /><span>{{ ruleWords(one) }}</span></li>
      </ul>
    </div>`,
  computed: {
    // An empty box needs no telling; a window that is closed is told at once.
    blocking() {
      const found = this.told.objections.filter((one) => one.code !== "empty" && one.code !== "unfilled");
      return this.open.length ? [...found, { code: "unfilled", figures: { names: this.open.join(", ") } }] : [...found, ...this.told.objections.filter((one) => one.code === "unfilled")];
    },
    cannot() {
      return CANNOT.includes(this.told.code) ? t(`composer.cannot.${this.told.code}`, { platform: platformName(this.platform) }) : this.told.why;
    },
    bar() {
      const { limits } = this.told;
      const bar = [];
      if (limits.forbids.length) bar.push({ name: "forbids", text: t("composer.no", { what: limits.forbids.map((what) => t(`composer.no.${what}`)).join(", ") }) });
      if (limits.files === 0) bar.push({ name: "files", text: t("composer.no_files") });
      else if (limits.files !== null || limits.file_bytes) bar.push({ name: "files", text: [limits.files === null ? "" : tn("composer.files", limits.files), limits.file_bytes ? size(limits.file_bytes) : ""].filter(Boolean).join(" · ") });
      if (limits.text !== null) {
        const length = limits.unit === "bytes" ? new TextEncoder().encode(this.text).length : Array.from(this.text).length;
        const left = limits.text - length;
        bar.push({ name: "text", tone: left < 0 ? "red" : left < limits.text / 20 ? "amber" : "", text: t(limits.unit === "bytes" ? "composer.left_bytes" : "composer.left", { most: number(limits.text), left: number(left) }) });
      }
      if (this.told.window_ends_at) {
        const left = toMs(this.told.window_ends_at) - this.now;
        bar.push({ name: "window", tone: left <= 0 ? "red" : left < SOON_MS ? "amber" : "", text: left <= 0 ? t("composer.window_over") : t("composer.window", { left: duration(Math.ceil(left / 60_000) * 60_000) }) });
      }
      return bar.length ? bar : [{ name: "none", text: t("composer.no_limits") }];
    },
  },
  methods: { t, can, platformName, ruleWords, size },
};
