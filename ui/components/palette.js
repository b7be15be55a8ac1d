// Ctrl+K on every page: go somewhere, or find a conversation, a customer, an order, a message. Mounted once, in the frame,
// so it hears the keys that lead from page to page too.
import { INBOX, WIcon, WMarked, ask, can, channelName, go, goInbox, place, t, wentBy } from "weir-core";

const WAIT_MS = 120;
const RECENT = "weir-recent";
const MOST_RECENT = 6;
const MOST_PAGES = 5;
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

function remembered() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(RECENT));
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

const toMessage = (key, message) => place(INBOX, { tab: "all", key, message });
const plain = (text) => text.normalize("NFKC").toLowerCase();

export default {
  components: { WIcon, WMarked },
  props: { pages: Array },
  template: `
    <div v-if="open" class="w-scrim pal-scrim" @click.self="close">
      <section class="pal" role="dialog" aria-modal="true" :aria-label="t('palette.title')" @keydown.stop="key">
        <label class="w-field pal-field"><w-icon name="search" /><input ref="box" v-model="typed" type="text" role="combobox" aria-autocomplete="list" aria-expanded="true" aria-controls="pal-list" :aria-activedescendant="items.length ? 'pal-' + at : undefined" :aria-label="t('palette.placeholder')" :placeholder="t('palette.placeholder')" maxlength="200" autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="go" @input="soon"><kbd class="w-kbd pal-esc">{{ "Esc" }}</kbd><button class="w-btn is-quiet is-icon pal-close" type="button" :aria-label="t('close')" tabindex="-1" @click="close"><w-icon name="x" /></button></label>
        <div class="w-sr" role="status" aria-live="polite">{{ spoken }}</div>
        <div id="pal-list" ref="list" class="pal-list" role="listbox" :aria-label="t('palette.title')" :aria-busy="loading">
          <div v-for="group in groups" :key="group.id" role="group" :aria-labelledby="'pal-g-' + group.id">
            <div :id="'pal-g-' + group.id" class="pal-group">{{ t("palette.group." + group.id) }}</div>
            <a v-for="item in group.items" :id="'pal-' + item.place" :key="item.place" class="pal-item" :class="{ 'is-at': item.place === at }" role="option" :aria-selected="item.place === at" tabindex="-1" :href="item.href" @click.prevent="choose(item)" @mousemove="at = item.place">
              <w-icon :name="item.icon" /><span class="pal-main"><bdi class="pal-name"><w-marked :text="item.label" :ranges="item.ranges || []" /></bdi><span v-if="item.hint" class="w-meta pal-hint"><bdi>{{ item.hint }}</bdi></span></span></a>
          </div>
          <p v-if="error" class="pal-note is-bad" role="alert"><w-icon name="circle-alert" />{{ error }}</p>
          <p v-else-if="loading && !items.length" class="pal-note">{{ t("loading") }}</p>
          <p v-else-if="!items.length" class="pal-note">{{ t("find.none") }}</p>
        </div>
        <footer class="pal-foot w-meta" aria-hidden="true"><span><kbd class="w-kbd">↑</kbd><kbd class="w-kbd">↓</kbd>{{ t("palette.move") }}</span><span><kbd class="w-kbd">↵</kbd>{{ t("palette.open") }}</span><span v-if="bounded" class="pal-more">{{ t("palette.bounded") }}</span></footer>
      </section>
    </div>`,
  data: () => ({ open: false, typed: "", found: null, at: 0, loading: false, error: "", recent: [] }),
  computed: {
    words() {
      return this.typed.trim();
    },
    bounded() {
      return Boolean(this.words && this.found && this.found.bounded);
    },
    groups() {
      const found = (this.words && this.found) || { conversations: [], contacts: [], orders: [], messages: [] };
      const groups = this.words
        ? [
            { id: "pages", items: this.pagesNamed.slice(0, MOST_PAGES) },
            { id: "conversations", items: found.conversations.map((row) => ({ icon: "message-square", label: row.contact_name || row.contact_id || row.conversation, hint: [channelName(row.platform, row.account), row.last_text].filter(Boolean).join(" · "), href: place(INBOX, { tab: "all", key: row.key }) })) },
            { id: "contacts", items: found.contacts.map((one) => ({ icon: "user", label: one.name || one.id, hint: [channelName(one.platform, one.account), one.name ? one.id : ""].filter(Boolean).join(" · "), href: place("/search", one.id ? { contact: one.id, platform: one.platform } : { q: "from:" + JSON.stringify(one.name), platform: one.platform }) })) },
            { id: "orders", items: found.orders.map((one) => ({ icon: "package", label: one.number, hint: [channelName(one.platform, one.account), one.name, one.status].filter(Boolean).join(" · "), href: place("/search", { order: one.number }) })) },
            { id: "messages", items: found.messages.map((hit) => ({ icon: "scroll-text", label: hit.excerpt.text || hit.message, ranges: hit.excerpt.ranges, hint: [hit.contact_name, channelName(hit.platform, hit.account)].filter(Boolean).join(" · "), href: toMessage(hit.key, hit.message) })) },
            { id: "all", items: can("view_messages") ? [{ icon: "search", label: t("palette.all", { words: this.words }), href: place("/search", { q: this.words }) }] : [] },
          ]
        : [{ id: "recent", items: this.recent }, { id: "pages", items: this.pagesNamed }];
      let number = 0;
      return groups.filter((group) => group.items.length).map((group) => ({ ...group, items: group.items.map((item) => ({ ...item, place: number++ })) }));
    },
    items() {
      return this.groups.flatMap((group) => group.items);
    },
    pagesNamed() {
      const words = plain(this.words).split(/\s+/).filter(Boolean);
      const named = this.pages.map((page) => ({ icon: page.icon, label: t("palette.go", { page: page.label }), href: page.path, search: plain(`${page.label} ${page.path} ${page.words || ""}`) }));
      return named.filter((page) => words.every((word) => page.search.includes(word)));
    },
    spoken() {
      return this.loading || this.error ? "" : t("palette.count", { n: this.items.length });
    },
  },
  watch: {
    items() {
      this.at = Math.max(0, Math.min(this.at, this.items.length - 1));
    },
  },
  mounted() {
    this.pressed = (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        event.stopPropagation();
        if (this.open) this.close();
        else this.show();
      } else if (wentBy(event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    this.wished = () => this.show();
    // Before anybody else's: in a field of the inbox the keys are its own, these are everybody's.
    window.addEventListener("keydown", this.pressed, true);
    window.addEventListener("weir-palette", this.wished);
  },
  unmounted() {
    window.removeEventListener("keydown", this.pressed, true);
    window.removeEventListener("weir-palette", this.wished);
    this.stop();
  },
  methods: {
    t,
    show() {
      this.before = document.activeElement;
      Object.assign(this, { open: true, typed: "", found: null, at: 0, error: "", loading: false, recent: remembered() });
      this.$nextTick(() => this.$refs.box.focus());
    },
    close() {
      this.stop();
      this.open = false;
      if (this.before && this.before.isConnected) this.before.focus();
    },
    stop() {
      clearTimeout(this.timer);
      if (this.asking) this.asking.abort();
      this.asking = null;
    },
    soon() {
      this.stop();
      this.at = 0;
      this.error = "";
      if (!this.words || !can("view_messages")) {
        this.found = null;
        this.loading = false;
        return;
      }
      this.loading = true;
      this.timer = setTimeout(this.search, WAIT_MS);
    },
    async search() {
      const asking = (this.asking = new AbortController());
      try {
        const found = await ask(`/search?${new URLSearchParams({ q: this.words, tz: ZONE })}`, asking.signal);
        if (asking !== this.asking) return;
        this.found = found;
      } catch (wrong) {
        if (asking !== this.asking || wrong.name === "AbortError") return;
        this.error = wrong.message;
      }
      this.loading = false;
    },
    // The keys stay in the dialog: Tab has nowhere else to go.
    key(event) {
      if (event.isComposing) return;
      const last = this.items.length - 1;
      const to = { ArrowDown: this.at >= last ? 0 : this.at + 1, ArrowUp: this.at <= 0 ? last : this.at - 1, PageDown: Math.min(last, this.at + 5), PageUp: Math.max(0, this.at - 5) }[event.key];
      if (event.key === "Escape") this.close();
      else if (event.key === "Enter") this.items[this.at] && this.choose(this.items[this.at], event.ctrlKey || event.metaKey);
      else if (to !== undefined) this.step(to);
      else if (event.key !== "Tab") return;
      event.preventDefault();
    },
    step(to) {
      this.at = Math.max(0, to);
      this.$nextTick(() => {
        const here = this.$refs.list.querySelector(".is-at");
        if (here) here.scrollIntoView({ block: "nearest" });
      });
    },
    choose(item, apart = false) {
      const { icon, label, hint, href } = item;
      const kept = [{ icon, label: label.slice(0, 120), hint: (hint || "").slice(0, 120), href }, ...remembered().filter((one) => one.href !== href)];
      sessionStorage.setItem(RECENT, JSON.stringify(kept.slice(0, MOST_RECENT)));
      this.before = null;
      this.close();
      if (apart) window.open(href, "_blank", "noopener");
      else if (href.split("?")[0] === INBOX) goInbox(href);
      else go(href);
    },
  },
};
