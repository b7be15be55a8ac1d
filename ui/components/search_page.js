// Every message that was ever held, by words and filters, the one sent last first. What is looked for is in the address.
import { INBOX, WIcon, WMarked, ask, channelName, keepInAddress, labelBook, labelName, lang, loadLabels, minuteOfDay, place, platformName, t, toMs, tn } from "weir-core";
import { PlatformMark } from "weir-inbox";

const PAGE = 50;
const WAIT_MS = 250;
const FIELDS = ["q", "platform", "account", "label", "direction", "from", "to", "contact", "order", "conversation"];
const APART = ["contact", "order", "conversation"];
const DIRECTIONS = ["in", "out"];
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const LOCALE = lang === "zh" ? "zh-CN" : "en-GB";
const DAY = new Intl.DateTimeFormat(LOCALE, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const NAMED = ["order", "message", "sender_name", "sender_id"];

// The start of a day as a calendar's field writes it, by the clock on the wall; `later` days on.
function dayStart(text, later = 0) {
  const [year, month, day] = text.split("-").map(Number);
  return year ? new Date(year, month - 1, day + later).getTime() : NaN;
}

export default {
  components: { PlatformMark, WIcon, WMarked },
  props: { query: Object },
  template: `
    <div class="page find-page">
      <header class="page-head"><div><h1 class="w-h1">{{ t("nav.search") }}</h1><p class="w-sub">{{ t("search.text") }}</p></div></header>
      <form class="find-form" role="search" @submit.prevent="begin">
        <label class="w-field find"><w-icon name="search" /><input ref="box" v-model="form.q" type="search" maxlength="200" autocomplete="off" enterkeyhint="search" :placeholder="t('search.placeholder')" :aria-label="t('search.placeholder')" aria-describedby="find-help" @input="soon" @keydown.down.prevent="into(0)"></label>
        <div class="find-chips">
          <label class="w-field" :class="{ 'is-set': form.platform }"><select v-model="form.platform" :aria-label="t('monitor.platform')" @change="form.account = ''; begin()"><option value="">{{ t("monitor.all_platforms") }}</option><option v-for="one in platforms" :key="one" :value="one">{{ platformName(one) }}</option></select><w-icon name="chevron-down" /></label>
          <label class="w-field" :class="{ 'is-set': form.account }"><select v-model="form.account" :aria-label="t('monitor.account')" @change="begin"><option value="">{{ t("monitor.all_accounts") }}</option><option v-for="one in accounts" :key="one" :value="one">{{ one }}</option></select><w-icon name="chevron-down" /></label>
          <label class="w-field" :class="{ 'is-set': form.label }"><select v-model="form.label" :aria-label="t('search.label')" @change="begin"><option value="">{{ t("search.any_label") }}</option><option v-for="one in labels" :key="one" :value="one">{{ labelName(one) }}</option></select><w-icon name="chevron-down" /></label>
          <label class="w-field" :class="{ 'is-set': form.direction }"><select v-model="form.direction" :aria-label="t('search.direction')" @change="begin"><option value="">{{ t("search.both") }}</option><option v-for="one in DIRECTIONS" :key="one" :value="one">{{ t("search.way." + one) }}</option></select><w-icon name="chevron-down" /></label>
          <label class="w-field find-day" :class="{ 'is-set': form.from }"><span>{{ t("search.from") }}</span><input v-model="form.from" type="date" :max="form.to || undefined" @change="begin"></label>
          <label class="w-field find-day" :class="{ 'is-set': form.to }"><span>{{ t("search.to") }}</span><input v-model="form.to" type="date" :min="form.from || undefined" @change="begin"></label>
          <button v-for="one in apart" :key="one" class="w-btn find-apart" type="button" :aria-label="t('search.without', { what: form[one] })" @click="drop(one)"><bdi>{{ t("search.apart." + one, { value: form[one] }) }}</bdi><w-icon name="x" /></button>
          <button v-if="narrowed" class="w-btn is-quiet" type="button" @click="clear">{{ t("search.clear") }}</button>
        </div>
        <p id="find-help" class="w-meta find-help">{{ t("search.help") }}</p>
      </form>
      <div class="w-sr" role="status" aria-live="polite">{{ spoken }}</div>
      <section ref="list" class="w-card find-results" :aria-label="t('search.results')" :aria-busy="loading" @keydown="move">
        <template v-for="day in days" :key="day.at">
          <h2 class="find-divider"><time :datetime="day.iso">{{ day.name }}</time></h2>
          <ol class="conv-rows"><li v-for="hit in day.hits" :key="hit.key + '/' + hit.message"><a class="conv-row find-hit" :href="to(hit)">
            <platform-mark :platform="hit.platform" />
            <span class="conv-main">
              <span class="conv-name"><b><bdi>{{ hit.contact_name || hit.conversation }}</bdi></b><span class="w-meta">{{ channelName(hit.platform, hit.account) }}</span></span>
              <span class="find-text"><span v-if="hit.direction === 'out'" class="find-way w-meta">{{ whose(hit) }}</span><template v-if="hit.excerpt.cut_before">… </template><w-marked :text="hit.excerpt.text" :ranges="hit.excerpt.ranges" /><template v-if="hit.excerpt.cut_behind"> …</template><i v-if="!hit.excerpt.text" class="w-meta">{{ t(hit.attachments ? "search.file" : "find.no_text") }}</i></span>
              <span class="conv-tags find-tags"><span v-if="hit.version !== null" class="w-pill is-amber">{{ t("search.earlier") }}</span><span v-if="hit.recalled" class="w-pill">{{ t("search.recalled") }}</span><span v-for="field in named(hit)" :key="field" class="w-pill is-accent">{{ found(hit, field) }}</span><span v-if="hit.order && !hit.fields.includes('order')" class="w-mono w-meta">{{ hit.order }}</span></span>
            </span>
            <time class="w-meta w-num" :datetime="hit.sent_at">{{ clock(hit) }}</time></a></li></ol>
        </template>
        <div v-if="error" class="w-empty" role="alert"><w-icon name="circle-alert" /><b>{{ error }}</b><button class="w-btn" type="button" @click="more">{{ t("search.again") }}</button></div>
        <div v-else-if="loading" class="w-empty find-loading"><w-icon name="search" /><b>{{ t("loading") }}</b></div>
        <div v-else-if="!rows.length" class="w-empty"><w-icon name="search" /><b>{{ t("find.none") }}</b><span>{{ t("search.none.help") }}</span></div>
        <p v-else-if="!next" class="w-meta find-end">{{ t("search.end") }}</p>
        <button v-if="next && !loading && !error" class="mx-more" type="button" @click="more">{{ t("more") }}</button>
        <div ref="end" class="find-sentinel" aria-hidden="true"></div>
      </section>
    </div>`,
  data() {
    const form = Object.fromEntries(FIELDS.map((name) => [name, String(this.query[name] || "")]));
    return { DIRECTIONS, book: labelBook, form, rows: [], next: "", loading: false, error: "", channels: [] };
  },
  computed: {
    platforms() {
      return [...new Set([...this.channels.map(([platform]) => platform), this.form.platform].filter(Boolean))].sort();
    },
    accounts() {
      const here = this.channels.filter(([platform]) => !this.form.platform || platform === this.form.platform).map(([, account]) => account);
      return [...new Set([...here, this.form.account].filter(Boolean))].sort();
    },
    labels() {
      // Retired ones too: old conversations bear them.
      return [...new Set([...this.book.labels.map((label) => label.id), this.form.label].filter(Boolean))];
    },
    apart() {
      return APART.filter((name) => this.form[name]);
    },
    narrowed() {
      return FIELDS.some((name) => name !== "q" && this.form[name]);
    },
    // Whole days by the reader's clock, the latest first, as the rows come.
    days() {
      const days = [];
      for (const hit of this.rows) {
        const sent = new Date(toMs(hit.sent_at));
        const at = new Date(sent.getFullYear(), sent.getMonth(), sent.getDate()).getTime();
        if (!days.length || days[days.length - 1].at !== at) days.push({ at, name: DAY.format(at), iso: hit.sent_at.slice(0, 10), hits: [] });
        days[days.length - 1].hits.push(hit);
      }
      return days;
    },
    spoken() {
      if (this.loading || this.error) return "";
      return this.rows.length ? tn("search.found", this.rows.length) : t("find.none");
    },
  },
  created() {
    loadLabels();
    ask("/monitor?range=15m").then((found) => (this.channels = found.channels.map((row) => [row.platform, row.account])), () => null);
    this.begin();
  },
  mounted() {
    if (!this.form.q && matchMedia("(min-width: 761px)").matches) this.$refs.box.focus();
    this.eye = new IntersectionObserver(([entry]) => entry.isIntersecting && this.rows.length && !this.error && this.more(), { rootMargin: "600px" });
    this.eye.observe(this.$refs.end);
  },
  unmounted() {
    this.eye.disconnect();
    clearTimeout(this.timer);
    if (this.asking) this.asking.abort();
  },
  methods: {
    t, channelName, labelName, platformName,
    to: (hit) => place(INBOX, { tab: "all", key: hit.key, message: hit.message }),
    clock: (hit) => minuteOfDay(toMs(hit.sent_at)),
    whose: (hit) => t("search.ours", { name: hit.sender_name || t("search.us") }),
    // The name that stands above needs no second mention.
    named: (hit) => hit.fields.filter((field) => NAMED.includes(field) && !(field === "sender_name" && hit.sender_name === hit.contact_name)),
    found: (hit, field) => t(`search.in.${field}`, { value: field === "order" ? hit.order : hit.sender_name }),
    soon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(this.begin, WAIT_MS);
    },
    drop(name) {
      this.form[name] = "";
      this.begin();
    },
    clear() {
      for (const name of FIELDS) if (name !== "q") this.form[name] = "";
      this.begin();
    },
    begin() {
      clearTimeout(this.timer);
      const asked = Object.fromEntries(FIELDS.map((name) => [name, this.form[name].trim()]).filter(([, value]) => value));
      keepInAddress(asked);
      if (this.asking) this.asking.abort();
      Object.assign(this, { rows: [], next: "", error: "", loading: false });
      this.more();
    },
    wanted() {
      const { from, to, ...rest } = this.form;
      const values = { ...rest, q: rest.q.trim(), limit: PAGE, tz: ZONE, cursor: this.next };
      if (dayStart(from)) values.since = dayStart(from);
      if (dayStart(to)) values.until = dayStart(to, 1);
      return new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    },
    async more() {
      if (this.loading || (this.rows.length && !this.next)) return;
      const asking = (this.asking = new AbortController());
      Object.assign(this, { loading: true, error: "" });
      try {
        // A page may be empty and yet not the last: so much was looked through.
        let found;
        do {
          found = await ask(`/search/messages?${this.wanted()}`, asking.signal);
          this.next = found.next || "";
        } while (!found.items.length && this.next);
        this.rows = [...this.rows, ...found.items];
      } catch (wrong) {
        if (asking !== this.asking || wrong.name === "AbortError") return;
        this.error = wrong.message;
      } finally {
        if (asking === this.asking) this.loading = false;
      }
    },
    into(number) {
      const links = [...this.$refs.list.querySelectorAll("a.find-hit")];
      if (number < 0) this.$refs.box.focus();
      else if (links.length) links[Math.min(number, links.length - 1)].focus();
    },
    // Arrows go from hit to hit; Enter is the link's own.
    move(event) {
      const links = [...this.$refs.list.querySelectorAll("a.find-hit")];
      const here = links.indexOf(document.activeElement);
      const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: links.length - 1 }[event.key];
      if (here < 0 || to === undefined) return;
      event.preventDefault();
      this.into(to);
    },
  },
};
