// The composer: a reply or a note, with templates, files, the platform's rules under the box, and a draft that is never lost.
// Nothing is sent before the thread is read up to now, and what was sent meanwhile by somebody else is shown first.
import { ApiError, WIcon, ask, can, inboxLive, inboxPlace, roughAge, splitKey, t, tell, tellKey, toast } from "weir-core";
import { languageName } from "weir-inbox";
import { ComposerFiles, ComposerRules, HOLE, TemplatePicker, openDraft, submit, threadPath, upload, useThread } from "weir-thread";

const CHECK_MS = 250;
const TYPING_MS = 3000;
const LINES_PX = 220;
const empty = () => ({ mode: "reply", text: "", note: "", reply_to: null, files: [] });

export default {
  components: { ComposerFiles, ComposerRules, TemplatePicker, WIcon },
  props: { conversationKey: String },
  emits: ["sent"],
  template: `
    <section v-if="key && may" class="cp" :class="{ 'is-note': draft.mode === 'note', 'is-over': over }" :aria-label="t('composer.title')" @dragover.prevent="over = true" @dragleave="over = false" @drop.prevent="dropped">
      <div v-if="meanwhile" class="cp-banner" role="alert"><w-icon name="users" /><span><b><bdi>{{ meanwhile.sender_name || t("thread.out") }}</bdi></b> {{ t("composer.meanwhile", { ago: roughAge(live.now - meanwhile.time) }) }} <q dir="auto">{{ (meanwhile.text || "").slice(0, 140) }}</q></span><button class="w-btn" type="button" @click="seen.add(meanwhile.id), (looked += 1)">{{ t("composer.seen") }}</button></div>
      <div class="cp-box">
        <div class="cp-top"><div class="w-seg" role="tablist" :aria-label="t('composer.kind')"><button v-for="mode in ['reply', 'note']" :key="mode" type="button" role="tab" :aria-selected="draft.mode === mode" @click="choose(mode)">{{ t("composer." + mode) }}</button></div>
          <label v-if="draft.mode === 'reply' && languages.length" class="cp-lang" :title="t('composer.lang_help')"><w-icon name="languages" /><span class="w-sr">{{ t("composer.lang") }}</span><select v-model="lang" @change="langChosen = true"><option v-for="code in languages" :key="code" :value="code">{{ languageName(code) }}</option></select></label></div>
        <p v-if="draft.reply_to || store.again" class="cp-quote"><w-icon name="undo-2" /><span dir="auto">{{ store.again ? t("composer.again_of") : "" }} {{ quoteText }}</span><button type="button" :aria-label="t('composer.unquote')" @click="unquote"><w-icon name="x" /></button></p>
        <textarea ref="box" class="cp-text" dir="auto" rows="2" :value="words" :placeholder="t('composer.words.' + draft.mode)" :aria-label="t('composer.words.' + draft.mode)" maxlength="20000" :lang="draft.mode === 'reply' && lang ? lang : undefined" :aria-controls="picking !== null && picked ? 'cp-templates' : undefined" :aria-activedescendant="(picking !== null && picked) || undefined" @input="written" @keydown="pressed" @paste="pasted" @blur="kept && kept.save()"></textarea>
        <template-picker v-if="picking !== null" ref="picker" :conversation="key" :query="picking" :lang="lang" @pick="fill" @close="picking = null" @at="(id) => (picked = id)" />
        <composer-files :files="draft.mode === 'reply' ? draft.files : []" :coming="coming" @remove="remove" @again="(one) => put(one)" />
        <div class="cp-foot">
          <button class="w-btn is-quiet is-icon" type="button" :disabled="draft.mode === 'note'" :title="t('composer.templates')" :aria-label="t('composer.templates')" @click="browse"><w-icon name="zap" /></button>
          <button class="w-btn is-quiet is-icon" type="button" :disabled="draft.mode === 'note'" :title="t('composer.attach')" :aria-label="t('composer.attach')" @click="$refs.files.click()"><w-icon name="paperclip" /></button>
          <input ref="files" class="w-sr" type="file" multiple tabindex="-1" aria-hidden="true" @change="chosen">
          <span class="cp-state w-meta" role="status">{{ state }}</span>
          <span class="cp-hint" aria-hidden="true"><kbd v-for="name in ['Ctrl', '↵']" :key="name" class="w-kbd">{{ name }}</kbd></span>
          <button class="w-btn cp-next" type="button" :disabled="!ready" :title="t('composer.send_next_help')" @click="go('next')">{{ t("composer.send_next") }}</button>
          <button class="w-btn is-primary cp-send" type="button" :disabled="!ready" @click="go('stay')"><w-icon :name="draft.mode === 'note' ? 'lock' : 'send'" />{{ t(draft.mode === "note" ? "composer.keep" : meanwhile ? "composer.send_anyway" : "composer.send") }}</button>
        </div>
      </div>
      <composer-rules :told="told" :platform="platform" :text="draft.text" :files="draft.files" :now="live.now" :mode="draft.mode" :open="open" :hide="!draft.text && !draft.files.length && !closed" @compress="(compress = true), check()" />
    </section>
    <p v-else-if="key" class="cp-none">{{ t("composer.may_not") }}</p>`,
  data: () => ({ live: inboxLive, place: inboxPlace, may: can("reply"), draft: empty(), store: { items: [], outgoing: [], quote: null, again: null }, told: null, picking: null, picked: "", slash: 0, coming: [], lang: "", over: false, since: 0, seen: new Set(), looked: 0, loaded: false, sending: false, compress: false, holes: new Set() }),
  computed: {
    key() {
      return this.conversationKey || this.place.key;
    },
    platform() {
      return splitKey(this.key)[0];
    },
    words() {
      return this.draft.mode === "note" ? this.draft.note : this.draft.text;
    },
    closed() {
      return Boolean(this.told && this.told.objections.some((one) => one.code === "window_closed"));
    },
    theirs() {
      return this.store.items.filter((item) => item.kind === "message" && item.direction === "in" && item.lang).at(-1);
    },
    // What the customer speaks: as the platform told it last, else as it was guessed from what he wrote.
    spoken() {
      const row = this.place.row && this.place.row.key === this.key ? this.place.row : {};
      return (this.theirs && this.theirs.lang) || row.lang || row.guessed_lang || "";
    },
    languages() {
      const found = [this.spoken, (this.place.row || {}).guessed_lang, window.weir.lang, "en"];
      return [...new Set(found.filter(Boolean))];
    },
    // Somebody else's answer that came since this was opened, and that nobody here has looked at.
    meanwhile() {
      void this.looked;
      const mine = window.weir.me.name;
      const other = (item) => item.kind === "message" && item.direction === "out" && !item.history && Date.parse(item.at) > this.since && item.sender_name !== mine && !this.seen.has(item.id);
      return this.since && this.words ? this.store.items.filter(other).at(-1) || null : null;
    },
    quoteText() {
      if (this.store.again) return (this.store.again.text || "").slice(0, 120);
      const found = this.store.items.find((item) => item.kind === "message" && item.id === this.draft.reply_to);
      return found ? `${found.sender_name || ""}: ${(found.text || "").slice(0, 120)}` : this.draft.reply_to;
    },
    blocked() {
      if (this.draft.mode === "note") return !this.draft.note.trim();
      if (!this.draft.text.trim() && !this.draft.files.length) return true;
      return !this.told || !this.told.sendable || this.open.length > 0 || this.told.objections.some((one) => one.code !== "empty") || this.coming.length > 0;
    },
    // What a template left to be filled in is never sent in its braces.
    open() {
      return [...new Set([...this.draft.text.matchAll(HOLE)].map((hole) => hole[0]))].filter((hole) => this.holes.has(hole));
    },
    ready() {
      return this.live.caughtUp && this.loaded && !this.blocked && !this.sending;
    },
    state() {
      if (!this.live.caughtUp) return t(this.live.state === "catching_up" ? "composer.catching_up" : "composer.offline");
      return this.store.outgoing.some((one) => one.state === "unanswered") ? t("composer.unanswered") : "";
    },
  },
  watch: {
    key: { handler: "enter", immediate: true },
    "store.quote"(item) {
      if (!item) return;
      this.draft.reply_to = item.id;
      this.store.quote = null;
      this.change();
      this.choose("reply");
    },
    "store.again"(item) {
      if (!item) return;
      this.draft.text = this.draft.text || item.text || "";
      this.change();
      this.choose("reply");
    },
    spoken(lang) {
      if (lang && !this.langChosen) this.lang = lang;
    },
    "store.items"() {
      if (!this.since && this.store.state === "ready") this.since = this.live.now;
      // A customer's message opens the platform's window anew.
      const heard = this.store.items.filter((item) => item.kind === "message" && item.direction === "in").at(-1);
      if (heard && heard.id !== this.heardLast) this.checkSoon();
      this.heardLast = heard && heard.id;
    },
  },
  mounted() {
    this.keyed = ({ detail }) => {
      if (!this.key || !this.may) return;
      if (detail.id === "reply" || detail.id === "note") this.choose(detail.id);
      if (detail.id === "template") this.browse();
    };
    this.taken = ({ detail }) => detail.key === this.key && this.take(detail);
    window.addEventListener("weir-inbox-key", this.keyed);
    window.addEventListener("weir-composer-take", this.taken);
  },
  beforeUnmount() {
    window.removeEventListener("weir-inbox-key", this.keyed);
    window.removeEventListener("weir-composer-take", this.taken);
    this.exit();
  },
  methods: {
    t, roughAge, languageName,
    exit() {
      clearTimeout(this.timer);
      if (this.kept) this.kept.close();
      if (this.leave) this.leave();
      this.kept = this.leave = null;
    },
    async enter(key) {
      this.exit();
      Object.assign(this, { draft: empty(), told: null, picking: null, coming: [], lang: "", since: 0, seen: new Set(), loaded: false, sending: false, compress: false, holes: new Set() });
      this.langChosen = false;
      if (!key || !this.may) return;
      const { store, stop } = useThread(key);
      Object.assign(this, { store, leave: stop });
      if (store.state === "ready") this.since = this.live.now;
      this.lang = this.spoken;
      const kept = (this.kept = openDraft(key, (draft) => this.adopt(key, draft)));
      this.check();
      try {
        this.adopt(key, await kept.read());
      } catch (wrong) {
        if (!(wrong instanceof ApiError)) throw wrong;
      }
      if (this.key === key) this.loaded = true;
    },
    // What was written before, here or on another screen; what is being typed here meanwhile counts for more.
    adopt(key, draft) {
      if (this.key !== key || (!this.loaded && this.typed)) return;
      this.draft = { ...draft, files: [...draft.files] };
      for (const hole of draft.text.matchAll(HOLE)) this.holes.add(hole[0]);
      this.grow();
      this.checkSoon();
    },
    choose(mode) {
      if (this.draft.mode !== mode) {
        this.draft.mode = mode;
        this.picking = null;
        this.change();
      }
      this.$nextTick(() => {
        this.grow();
        if (this.$refs.box) this.$refs.box.focus();
      });
    },
    change() {
      if (this.kept) this.kept.put(this.draft);
      this.grow();
      this.checkSoon();
    },
    grow() {
      this.$nextTick(() => {
        const { box } = this.$refs;
        if (!box) return;
        box.style.height = "auto";
        box.style.height = `${Math.min(LINES_PX, box.scrollHeight)}px`;
      });
    },
    set(text) {
      this.draft[this.draft.mode === "note" ? "note" : "text"] = text;
    },
    written(event) {
      const { value, selectionStart: at } = event.target;
      this.typed = true;
      this.set(value);
      this.change();
      inboxLive.typing(this.key);
      this.tellVisitor();
      if (this.draft.mode !== "reply") return;
      // A slash where a word begins opens the templates; what follows it searches them.
      const found = /(?:^|[\s\u3000])\/([^\s/]{0,40})$/u.exec(value.slice(0, at));
      if (found) {
        this.picking = found[1];
        this.slash = at - found[1].length - 1;
      } else this.picking = null;
    },
    tellVisitor() {
      if (this.platform !== "webchat" || this.draft.mode !== "reply" || Date.now() - (this.told_at || 0) < TYPING_MS) return;
      this.told_at = Date.now();
      tell(`/webchat/typing?conversation=${encodeURIComponent(this.key)}`).catch(() => null); // nobody misses it
    },
    pressed(event) {
      if (event.isComposing) return;
      if (this.picking !== null && this.$refs.picker && this.$refs.picker.key(event)) return event.preventDefault();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        event.stopPropagation();
        if (this.ready) this.go(event.shiftKey ? "resolve" : "stay");
      } else if (event.key === "Tab" && !event.shiftKey && this.nextHole()) event.preventDefault();
    },
    browse() {
      this.choose("reply");
      this.$nextTick(() => {
        const { box } = this.$refs;
        this.slash = box.selectionStart;
        this.picking = "";
      });
    },
    fill(template) {
      const { box } = this.$refs;
      const text = this.draft.text;
      const typed = text.slice(this.slash, this.slash + 1) === "/" ? this.picking.length + 1 : 0;
      this.draft.text = text.slice(0, this.slash) + template.text + text.slice(this.slash + typed);
      this.picking = null;
      for (const name of template.missing) this.holes.add(`{${name}}`);
      tell(`/templates/${encodeURIComponent(template.id)}/used`).catch(() => null); // a use not counted is no harm
      this.change();
      this.$nextTick(() => {
        box.focus();
        box.setSelectionRange(this.slash, this.slash);
        if (!this.nextHole()) box.setSelectionRange(this.slash + template.text.length, this.slash + template.text.length);
      });
    },
    // Marks the next place of a template that waits to be filled in.
    nextHole() {
      const { box } = this.$refs;
      const holes = [...this.draft.text.matchAll(HOLE)].filter((hole) => this.holes.has(hole[0]));
      if (this.draft.mode !== "reply" || !holes.length) return false;
      const hole = holes.find((one) => one.index >= box.selectionEnd && box.selectionStart !== one.index) || holes[0];
      box.setSelectionRange(hole.index, hole.index + hole[0].length);
      return true;
    },
    unquote() {
      this.draft.reply_to = null;
      this.store.again = null;
      this.change();
    },
    take(one) {
      this.draft.mode = one.mode === "note" ? "note" : "reply";
      this.set(this.words && this.words !== one.text ? `${this.words}\n${one.text}` : one.text);
      if (one.mode !== "note") this.draft.files = [...this.draft.files, ...(one.files || []).filter((file) => !this.draft.files.some((held) => held.digest === file.digest))];
      this.choose(this.draft.mode);
      this.change();
    },
    dropped(event) {
      this.over = false;
      this.add(event.dataTransfer.files);
    },
    pasted(event) {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      this.add(event.clipboardData.files);
    },
    chosen(event) {
      this.add(event.target.files);
      event.target.value = "";
    },
    add(files) {
      if (!files.length) return;
      this.choose("reply");
      for (const file of files) {
        this.number = (this.number || 0) + 1;
        this.put({ number: this.number, name: file.name || t("file.kind.other"), file, part: 0, trouble: "" });
      }
    },
    async put(one) {
      const mine = this.key;
      if (!this.coming.includes(one)) this.coming = [...this.coming, one];
      one = this.coming.find((other) => other.number === one.number);
      one.trouble = "";
      try {
        const kept = await upload(one.file, (part) => (one.part = part));
        if (this.key !== mine || !this.coming.includes(one)) return;
        this.coming = this.coming.filter((other) => other !== one);
        this.draft.files = [...this.draft.files, kept];
        this.change();
      } catch (wrong) {
        if (!(wrong instanceof ApiError)) throw wrong;
        one.trouble = wrong.message;
      }
    },
    remove(file) {
      this.coming = this.coming.filter((other) => other !== file);
      this.draft.files = this.draft.files.filter((other) => other !== file);
      this.change();
    },
    checkSoon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.check(), CHECK_MS);
    },
    async check() {
      const key = this.key;
      if (!key || !this.may) return;
      if (this.asking) this.asking.abort();
      const mine = (this.asking = new AbortController());
      const files = this.draft.files.map(({ digest, name, mime }) => ({ digest, name, mime }));
      try {
        const told = await tell(`${threadPath(key, "messages/check")}`, { text: this.draft.text, files, compress: this.compress }, mine.signal);
        if (mine === this.asking && this.key === key) this.told = told;
      } catch (wrong) {
        if (wrong.name !== "AbortError" && !(wrong instanceof ApiError)) throw wrong;
      }
    },
    // `then`: stay, next, or resolve, which closes the conversation and goes to the next.
    async go(then) {
      if (!this.ready) return;
      const { key, store, kept } = this;
      const { mode } = this.draft;
      const asked = mode === "note" ? { mode, text: this.draft.note, files: [] } : { mode, text: this.draft.text, files: [...this.draft.files], reply_to: this.draft.reply_to, compress: this.compress, resend_of: store.again ? store.again.id : null };
      if (this.meanwhile) this.seen.add(this.meanwhile.id);
      this.sending = true;
      Object.assign(this.draft, mode === "note" ? { note: "" } : { text: "", files: [], reply_to: null });
      store.again = null;
      this.compress = this.typed = false;
      this.change();
      const left = { ...this.draft };
      const going = submit(store, asked);
      this.sending = false;
      this.$emit("sent", { key, mode });
      if (!left.text && !left.note && !left.files.length) kept.drop();
      if (then !== "stay") await this.leaveFor(then, key, going);
    },
    // What was refused must be seen by who wrote it: then one stays.
    async leaveFor(then, key, going) {
      const one = await going;
      if (one.state === "refused" || one.state === "twin") return;
      try {
        if (then === "resolve") await tell(threadPath(key, "status"), { status: "closed" });
      } catch (wrong) {
        if (!(wrong instanceof ApiError)) throw wrong;
        toast(wrong.message, "error");
        return;
      }
      if (this.key === key) tellKey("next_after");
    },
  },
};
