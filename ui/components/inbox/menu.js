// A menu to choose from by typing, arrows or mouse: one or several, or something new. One at a time, wherever it was asked for.
import * as Vue from "vue";
import { WIcon, t } from "weir-core";

// The open menu: {title, options, multi, fresh, when}; null when there is none. Options: {id, label, hint, icon, on, words}, or a
// promise of them: the menu is there at once, so that what is typed meanwhile reaches it and nothing else.
export const menu = Vue.shallowReactive({ open: null, options: [], loading: false });
let settle = null;

// Resolves to what was chosen: an id; with `multi` {on: [], off: []}; with `fresh` {fresh: text}; null when it was left.
export function openMenu(wish) {
  if (settle) settle(null);
  const before = document.activeElement;
  Object.assign(menu, { open: wish, options: [], loading: true });
  return new Promise((resolve, reject) => {
    Promise.resolve(wish.options).then(
      (options) => menu.open === wish && Object.assign(menu, { options, loading: false }),
      (wrong) => {
        if (menu.open !== wish) return;
        menu.open = settle = null;
        reject(wrong);
      },
    );
    settle = (found) => {
      settle = null;
      menu.open = null;
      if (before && before.isConnected && before !== document.body) before.focus({ preventScroll: true });
      resolve(found);
    };
  });
}

const plain = (text) => String(text).normalize("NFKD").toLowerCase();

export const InboxMenu = {
  components: { WIcon },
  template: `
    <div v-if="menu.open" class="w-scrim ib-menu-scrim" @click.self="leave">
      <div class="ib-menu" role="dialog" aria-modal="true" :aria-label="menu.open.title" @keydown="key">
        <div class="ib-menu-head"><span class="w-meta">{{ menu.open.title }}</span>
          <label class="w-sr" :for="field">{{ t("inbox.menu.find") }}</label>
          <input :id="field" ref="box" v-model="typed" class="ib-menu-box" type="text" role="combobox" aria-expanded="true" :aria-controls="field + '-list'" :aria-activedescendant="shown.length ? optionId(at) : undefined" autocomplete="off" spellcheck="false" maxlength="80" :placeholder="menu.open.placeholder || t('inbox.menu.find')"></div>
        <ul :id="field + '-list'" ref="list" class="ib-menu-list" role="listbox" :aria-label="menu.open.title" :aria-multiselectable="menu.open.multi || undefined">
          <li v-for="(option, index) in shown" :id="optionId(index)" :key="option.id" class="ib-menu-option" role="option" :aria-selected="menu.open.multi ? isOn(option) : index === at" :class="{ 'is-at': index === at }" @pointermove="at = index" @click="choose(option)">
            <span v-if="menu.open.multi" class="ib-menu-check" aria-hidden="true"><w-icon v-if="isOn(option)" name="check" /></span><w-icon v-else-if="option.icon" :name="option.icon" />
            <span class="ib-menu-label"><bdi>{{ option.label }}</bdi></span><span v-if="option.hint" class="w-meta ib-menu-hint">{{ option.hint }}</span>
          </li>
        </ul>
        <p v-if="!shown.length" class="w-meta ib-menu-none">{{ t(menu.loading ? "loading" : "inbox.menu.none") }}</p>
        <div v-if="menu.open.when" class="ib-menu-when"><label class="set-label">{{ menu.open.when }}<span class="w-field"><input v-model="day" type="datetime-local" :min="soonest"></span></label><button class="w-btn" type="button" :disabled="!day" @click="pickDay">{{ t("inbox.menu.done") }}</button></div>
        <div v-if="menu.open.multi" class="ib-menu-foot"><button class="w-btn is-primary" type="button" @click="finish">{{ t("inbox.menu.done") }}</button></div>
        <button class="w-btn is-quiet is-icon ib-menu-close" type="button" :aria-label="t('close')" @click="leave"><w-icon name="x" /></button>
      </div>
    </div>`,
  data: () => ({ menu, typed: "", at: 0, entered: false, marks: new Map(), field: "ib-menu-field", day: "", soonest: "" }),
  computed: {
    shown() {
      const wish = this.menu.open;
      const typed = plain(this.typed.trim());
      const { options } = this.menu;
      const found = options.filter((option) => !typed || plain(`${option.label} ${option.words || ""}`).includes(typed));
      const text = this.typed.trim();
      if (wish.fresh && text && !options.some((option) => plain(option.label) === typed)) found.push({ id: "", label: t(wish.fresh, { text }), icon: "plus", fresh: text });
      return found;
    },
  },
  watch: {
    "menu.open"(now) {
      if (!now) return;
      const local = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000);
      Object.assign(this, { typed: "", at: 0, entered: false, marks: new Map(), day: "", soonest: local.toISOString().slice(0, 16) });
      this.$nextTick(() => this.$refs.box && this.$refs.box.focus());
    },
    typed() {
      this.at = 0;
    },
    // Enter came before there was anything to choose.
    "menu.loading"(now) {
      if (!now && this.entered) this.enter();
    },
  },
  methods: {
    t,
    optionId: (index) => `ib-option-${index}`,
    isOn(option) {
      return this.marks.has(option.id) ? this.marks.get(option.id) : Boolean(option.on);
    },
    leave() {
      settle && settle(null);
    },
    enter() {
      this.entered = this.menu.loading;
      if (!this.entered && this.shown[this.at]) this.choose(this.shown[this.at]);
    },
    choose(option) {
      if (option.fresh) return settle({ fresh: option.fresh });
      if (!this.menu.open.multi) return settle(option.id);
      this.marks.set(option.id, !this.isOn(option));
      this.marks = new Map(this.marks);
    },
    finish() {
      const on = [], off = [];
      for (const option of this.menu.options) {
        const mark = this.marks.get(option.id);
        if (mark !== undefined && mark !== Boolean(option.on)) (mark ? on : off).push(option.id);
      }
      settle({ on, off });
    },
    pickDay() {
      settle(`at ${new Date(this.day).getTime()}`);
    },
    key(event) {
      event.stopPropagation();
      const last = this.shown.length - 1;
      if (event.key === "Escape") this.leave();
      else if (event.key === "ArrowDown") this.at = Math.min(last, this.at + 1);
      else if (event.key === "ArrowUp") this.at = Math.max(0, this.at - 1);
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.menu.open.multi) this.finish();
      else if (event.key === "Enter" && event.target === this.$refs.box) this.enter();
      else if (event.key === "Tab") return this.turn(event);
      else return;
      event.preventDefault();
      this.$nextTick(() => {
        const here = this.$refs.list && this.$refs.list.children[this.at];
        if (here) here.scrollIntoView({ block: "nearest" });
      });
    },
    // The focus stays within.
    turn(event) {
      const stops = [...event.currentTarget.querySelectorAll("input, button:not(:disabled)")];
      const here = stops.indexOf(document.activeElement);
      const next = (here + (event.shiftKey ? -1 : 1) + stops.length) % stops.length;
      event.preventDefault();
      stops[next].focus();
    },
  },
};
