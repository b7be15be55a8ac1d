// The monitor's head: how fresh it is, pause, range, filters, search; and the keys that work on the whole page.
import { WIcon, address, ask, age, can, channelKey, channelName, choose, go, keepInAddress, live, number, pause, place, platformName, t, timeOfDay, tn, toConversations, useLive } from "weir-core";
import { MutesMenu } from "weir-core/mutes_menu.js";

const RANGES = ["15m", "1h", "6h", "24h"];
const LOOK_MS = 10_000;
const MOST_NAMED = 6;
const KEYS = ["help", "wall", "pause", "search", "ranges", "incidents", "open", "acknowledge", "resolve", "close"];

export default {
  components: { MutesMenu, WIcon },
  props: { query: Object },
  template: `
    <header class="bar">
      <div class="bar-title">
        <h1 class="w-h1">{{ t("monitor.title") }}</h1>
        <p class="w-sub">{{ summary }}</p>
      </div>
      <div class="bar-tools">
        <span class="badge" :class="'is-' + mode"><i></i><b role="status">{{ t("live." + mode) }}</b><span class="w-num badge-age">{{ freshness }}</span></span>
        <button class="w-btn bar-pause" type="button" :aria-pressed="live.paused" :aria-label="t(live.paused ? 'monitor.resume' : 'monitor.pause')" @click="pause(!live.paused)">
          <w-icon :name="live.paused ? 'play' : 'pause'" /><span>{{ t(live.paused ? "monitor.resume" : "monitor.pause") }}</span><em v-if="live.missed" class="bar-missed">{{ live.missed }}</em>
        </button>
        <div class="w-seg bar-range" role="group" :aria-label="t('monitor.range')">
          <button v-for="range in RANGES" :key="range" type="button" :aria-pressed="live.range === range" @click="filter({ range })">{{ t("range." + range) }}</button>
        </div>
        <label class="w-field bar-select"><span class="w-sr">{{ t("monitor.platform") }}</span>
          <select :value="live.platform" @change="filter({ platform: $event.target.value, account: '' })">
            <option value="">{{ t("monitor.all_platforms") }}</option>
            <option v-for="platform in platforms" :key="platform" :value="platform">{{ platformName(platform) }}</option>
          </select><w-icon name="chevron-down" /></label>
        <label v-if="live.platform" class="w-field bar-select"><span class="w-sr">{{ t("monitor.account") }}</span>
          <select :value="live.account" @change="filter({ account: $event.target.value })">
            <option value="">{{ t("monitor.all_accounts") }}</option>
            <option v-for="account in accounts" :key="account" :value="account">{{ account }}</option>
          </select><w-icon name="chevron-down" /></label>
        <form class="w-field bar-search" role="search" @submit.prevent="search">
          <w-icon name="search" /><input ref="search" v-model="wanted" type="search" :placeholder="t('monitor.search')" :aria-label="t('monitor.search')" maxlength="200"><kbd class="w-kbd">/</kbd>
        </form>
        <mutes-menu />
        <button class="w-btn is-icon is-quiet bar-wide" type="button" :title="t('monitor.wall')" :aria-label="t('monitor.wall')" @click="wall()"><w-icon :name="live.wall ? 'minimize' : 'maximize'" /></button>
        <button class="w-btn is-icon is-quiet bar-wide" type="button" :title="t('monitor.keys')" :aria-label="t('monitor.keys')" @click="help = true"><w-icon name="circle-question-mark" /></button>
      </div>
      <div v-for="note in notes" :key="note.text" class="w-banner" :class="note.tone" role="alert"><w-icon name="triangle-alert" /><span>{{ note.text }}</span></div>
      <div v-for="note in uncovered" :key="note.kind" class="w-banner" :class="note.tone" role="alert"><w-icon name="triangle-alert" /><span>{{ note.text }}</span><a class="w-link bar-more" href="/settings/teams">{{ t("coverage.look") }}</a></div>
      <div v-if="help" class="w-scrim" @click.self="help = false" @keydown.esc="help = false">
        <div class="w-dialog" role="dialog" aria-modal="true" :aria-label="t('monitor.keys')">
          <h2 class="w-h2">{{ t("monitor.keys") }}</h2>
          <dl class="keys"><template v-for="key in KEYS" :key="key"><dt><kbd v-for="cap in t('key.' + key + '.caps').split(' ')" :key="cap" class="w-kbd">{{ cap }}</kbd></dt><dd>{{ t("key." + key) }}</dd></template></dl>
          <div class="w-dialog-actions"><button ref="closeHelp" class="w-btn" type="button" @click="help = false">{{ t("close") }}</button></div>
        </div>
      </div>
    </header>`,
  data: () => ({ live, RANGES, KEYS, wanted: "", help: false, known: [], gaps: [] }),
  computed: {
    platforms() {
      return [...new Set([...this.known, live.platform].map((key) => (Array.isArray(key) ? key[0] : key)).filter(Boolean))].sort();
    },
    accounts() {
      const here = this.known.filter(([platform]) => platform === live.platform).map(([, account]) => account);
      return [...new Set([...here, live.account].filter(Boolean))].sort();
    },
    summary() {
      const rows = live.snap ? live.snap.channels : [];
      const troubled = live.sound ? rows.filter((row) => !["ok", "silenced"].includes(row.state)).length : 0;
      const count = tn("monitor.channels", rows.length);
      if (!live.snap || !live.sound) return live.snap ? count : t("loading");
      return `${count} · ${troubled ? tn("monitor.troubled", troubled) : t("monitor.all_fine")}`;
    },
    freshness() {
      if (!live.snap) return "";
      return age(Math.max(0, live.now - live.snap.at));
    },
    // The figures may be believed, but they are not as fresh as "live" promises.
    mode() {
      return live.mode === "live" && live.snap.monitor.polling_ms ? "polling" : live.mode;
    },
    // Told before any message comes: whose it would be is known without one.
    uncovered() {
      return [["nobody", ""], ["several", "is-amber"]].map(([kind, tone]) => {
        const names = this.gaps.filter((gap) => gap.kind === kind).map((gap) => channelName(gap.platform, gap.account));
        const shown = names.slice(0, MOST_NAMED).join(", ") + (names.length > MOST_NAMED ? ", …" : "");
        return { kind, tone, count: names.length, text: `${tn("coverage." + kind, names.length)} ${shown}` };
      }).filter((note) => note.count);
    },
    notes() {
      const found = [];
      const snap = live.snap;
      if (live.error && !snap) found.push({ tone: "is-grey", text: live.error });
      if (!snap) return found;
      const monitor = snap.monitor;
      if (live.mode === "no_data") found.push({ tone: "", text: t("note.silent", { at: timeOfDay(monitor.silent_since || monitor.checked_at) }) });
      else if (live.mode === "stale") found.push({ tone: "is-grey", text: t("note.stale", { at: timeOfDay(snap.at) }) });
      const dead = monitor.heartbeats.filter((beat) => !beat.ok).map((beat) => t("part." + beat.part));
      if (dead.length && live.mode !== "stale") found.push({ tone: "", text: t("note.parts", { parts: dead.join(", ") }) });
      if (monitor.channels_checked < monitor.channels_bound) found.push({ tone: "is-amber", text: t("note.coverage", { checked: monitor.channels_checked, bound: monitor.channels_bound }) });
      if (monitor.polling_ms && live.sound) found.push({ tone: "is-amber", text: t("note.polling", { seconds: number(monitor.polling_ms / 1000) }) });
      const queue = (monitor.alarms || []).find((alarm) => alarm.kind === "queue");
      if (queue && live.mode !== "stale") found.push({ tone: queue.severity === "critical" ? "" : "is-amber", text: t("note.queue", { accepted: number(monitor.accepted), processed: number(monitor.processed), age: age(live.now - queue.since) }) });
      if (!snap.ledger.balanced) found.push({ tone: "", text: t("note.ledger") });
      return found;
    },
  },
  watch: {
    "live.snap"(snap) {
      if (snap && !live.platform && !live.account) this.learn(snap);
    },
    help(shown) {
      if (shown) this.$nextTick(() => this.$refs.closeHelp.focus());
    },
  },
  created() {
    const range = RANGES.includes(this.query.range) ? this.query.range : undefined;
    this.stop = useLive({ ...this.query, range });
    if (this.query.platform || this.query.account) ask("/monitor?range=15m").then(this.learn, () => null);
  },
  mounted() {
    this.look();
    this.timer = can("view_coverage") ? setInterval(() => document.hidden || this.look(), LOOK_MS) : null;
    document.addEventListener("keydown", this.key);
    document.addEventListener("fullscreenchange", this.left);
  },
  unmounted() {
    this.stop();
    clearInterval(this.timer);
    this.wall(false);
    document.removeEventListener("keydown", this.key);
    document.removeEventListener("fullscreenchange", this.left);
  },
  methods: {
    t, tn, pause, platformName, channelKey, place, can,
    async look() {
      if (!can("view_coverage")) return;
      try {
        this.gaps = (await ask("/coverage")).items;
      } catch (error) {
        if (error.status === 403) this.gaps = [];
      }
    },
    learn(snap) {
      const pairs = snap.channels.map((row) => [row.platform, row.account]);
      if (pairs.length !== this.known.length) this.known = pairs;
    },
    filter(change) {
      choose(change);
      keepInAddress(address());
    },
    search() {
      const q = this.wanted.trim();
      if (q) go(toConversations({ q }));
    },
    wall(wanted = !live.wall) {
      if (wanted === live.wall) return;
      live.wall = wanted;
      document.documentElement.classList.toggle("w-wall", wanted);
      // Full screen is a wish: a browser may refuse, and the wall works in the window too.
      if (wanted) document.documentElement.requestFullscreen?.().catch(() => null);
      else if (document.fullscreenElement) document.exitFullscreen().catch(() => null);
    },
    left() {
      if (!document.fullscreenElement) this.wall(false);
    },
    key(event) {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.target.isContentEditable;
      if (event.key === "Escape") {
        if (this.help) this.help = false;
        else if (typing) event.target.blur();
        else if (live.wall) this.wall(false);
        return;
      }
      if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
      const range = RANGES[Number(event.key) - 1];
      if (event.key === "?") this.help = !this.help;
      else if (event.key === "f") this.wall();
      else if (event.key === "p") pause(!live.paused);
      else if (range) this.filter({ range });
      else if (event.key === "/") this.$refs.search.focus();
      else return;
      event.preventDefault();
    },
  },
};
