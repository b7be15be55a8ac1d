// The navigation: a rail on the left, a tab bar on a phone. Language and theme live in its foot, or in its sheet on a phone.
import { WIcon, t, lang } from "weir-core";

const YEAR_S = 365 * 86_400;
const keep = (name, value) => (document.cookie = `${name}=${value};path=/;max-age=${YEAR_S};samesite=lax`);
const MOST_TABS = 4;

export default {
  components: { WIcon },
  props: { home: String, items: Array, theme: String, role: String },
  emits: ["prefer"],
  template: `
    <nav class="rail" :aria-label="t('rail.main')">
      <a class="rail-brand" :href="home" :aria-label="t('app.name')">
        <svg viewBox="0 0 32 32" aria-hidden="true" fill="none" stroke="currentColor" stroke-linecap="round" stroke-width="3">
          <path d="M3 8.5h9c4.5 0 4 7.5 8.5 7.5H29"/><path d="M3 16h6c4.5 0 4 7.5 8.5 7.5H29" stroke-opacity=".42"/>
        </svg>
      </a>
      <ul class="rail-list">
        <li v-for="(item, index) in items" :key="item.path" :class="{ 'rail-over': index >= tabs }">
          <a class="rail-item" :href="item.path" :title="item.label" :aria-current="isHere(item.path) ? 'page' : undefined">
            <w-icon :name="item.icon" /><span>{{ item.label }}</span>
          </a>
        </li>
        <li class="rail-only-phone">
          <button class="rail-item" type="button" :aria-expanded="open" @click.stop="open = !open"><w-icon name="ellipsis" /><span>{{ t("rail.more") }}</span></button>
        </li>
      </ul>
      <div class="rail-foot">
        <button class="rail-tool" type="button" :title="t('palette.hint')" :aria-label="t('palette.title')" aria-keyshortcuts="Control+K Meta+K" @click.stop="palette"><w-icon name="search" /></button>
        <button class="rail-tool" type="button" :title="t('rail.language_to')" :aria-label="t('rail.language_to')" @click="switchLanguage"><w-icon name="languages" /></button>
        <button class="rail-tool" type="button" :title="themeLabel" :aria-label="themeLabel" @click="switchTheme"><w-icon :name="dark ? 'sun' : 'moon'" /></button>
        <button class="rail-me" type="button" :aria-label="initials + ' · ' + t('rail.account')" :title="name" :aria-expanded="open" @click.stop="open = !open">{{ initials }}</button>
      </div>
      <div v-if="open" class="rail-menu" @click.stop>
        <div class="rail-who"><b>{{ name }}</b><div class="w-meta">{{ role }}</div></div>
        <a v-for="item in over" :key="item.path" class="rail-menu-item rail-only-phone-flex" :href="item.path" @click="open = false"><w-icon :name="item.icon" />{{ item.label }}</a>
        <button class="rail-menu-item" type="button" @click="palette"><w-icon name="search" />{{ t("palette.title") }}</button>
        <button class="rail-menu-item" type="button" @click="switchLanguage"><w-icon name="languages" />{{ t("rail.language_to") }}</button>
        <button class="rail-menu-item" type="button" @click="switchTheme"><w-icon :name="dark ? 'sun' : 'moon'" />{{ themeLabel }}</button>
        <form method="post" action="/auth/logout"><button class="rail-menu-item" type="submit"><w-icon name="log-out" />{{ t("rail.log_out") }}</button></form>
      </div>
    </nav>`,
  data: () => ({ open: false, dark: document.documentElement.dataset.theme === "dark", current: "/", name: window.weir.me.name }),
  computed: {
    initials() {
      const parts = this.name.split(/[\s._@-]+/).filter(Boolean);
      return (parts.length > 1 ? parts[0][0] + parts[1][0] : this.name.slice(0, 2)).toUpperCase();
    },
    themeLabel() {
      return t(this.dark ? "rail.theme_light" : "rail.theme_dark");
    },
    tabs() {
      return this.items.length > MOST_TABS ? MOST_TABS - 1 : MOST_TABS;
    },
    over() {
      return this.items.slice(this.tabs);
    },
  },
  mounted() {
    // Pages change by pushState, which no event tells of; the address is compared whenever the document changes.
    this.look = () => (this.current = location.pathname);
    this.look();
    this.watcher = new MutationObserver(this.look);
    this.watcher.observe(document.querySelector("title"), { childList: true });
    this.close = (event) => (event.type === "click" || event.key === "Escape") && (this.open = false);
    for (const name of ["click", "keydown"]) document.addEventListener(name, this.close);
    window.addEventListener("popstate", this.look);
    this.timer = setInterval(this.look, 400);
  },
  unmounted() {
    this.watcher.disconnect();
    clearInterval(this.timer);
    for (const name of ["click", "keydown"]) document.removeEventListener(name, this.close);
    window.removeEventListener("popstate", this.look);
  },
  methods: {
    t,
    isHere(path) {
      return this.current === path || (path !== "/" && this.current.startsWith(`${path}/`));
    },
    palette() {
      this.open = false;
      window.dispatchEvent(new CustomEvent("weir-palette"));
    },
    switchTheme() {
      this.dark = !this.dark;
      const theme = this.dark ? "dark" : "light";
      window.weirTheme(theme);
      window.setDark(this.dark);
      keep("weir_theme", theme);
      this.$emit("prefer", { theme });
    },
    switchLanguage() {
      const next = lang === "zh" ? "en" : "zh";
      keep("weir_lang", next);
      this.$emit("prefer", { lang: next });
      // The choice is on its way to the account; the cookie serves the page that is loaded now.
      setTimeout(() => location.reload(), 150);
    },
  },
};
