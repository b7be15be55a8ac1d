// One message's life: when it reached each hop, how long each took, and what Weir holds of it, as literal text.
import { DASH, WIcon, ask, channelName, duration, evidenceLine, isNumber, moment, precise, splitKey, t, tn, toAnomalies, toConversation, toMs, toast, tracePath, troubleName } from "weir-core";

const LEAST_WIDTH = 0.6;
const GUILTY_MS = 1000;
const WAY_IN = ["sent", "received", "logged", "processed", "stored"];
const GLYPHS = { critical: "■", warning: "▲", info: "●" };

export default {
  components: { WIcon },
  props: { query: Object },
  template: `
    <div class="page">
      <header class="page-head"><div><h1 class="w-h1 break w-mono">{{ query.message }}</h1><p class="w-sub"><a class="w-link break" :href="toConversation(query.key)">{{ channelName(platform, account) }} · {{ conversation }}</a></p></div>
        <button v-if="found && found.raw" class="w-btn" type="button" @click="copy"><w-icon name="copy" />{{ t("trace.copy") }}</button></header>
      <template v-if="found">
        <section class="w-card trace"><div class="w-card-head"><h2 class="w-h2">{{ t("trace.life") }}</h2><span class="w-pill" :class="found.direction === 'in' ? 'is-accent' : ''">{{ t("thread." + found.direction) }}</span><span class="w-sub w-num">{{ t("trace.total", { span: duration(total) }) }}</span></div>
          <ol class="hops"><li v-for="hop in hops" :key="hop.hop" class="hop" :class="{ 'is-missing': hop.at_ms === null, 'is-guilty': hop.guilty }">
            <span class="hop-name">{{ name(hop) }}</span>
            <span class="hop-at w-num" :title="moment(hop.at_ms)">{{ hop.at_ms === null ? t("trace.not_yet") : precise(hop.at_ms) }}</span>
            <span class="hop-gap w-num">{{ gap(hop) }}</span>
            <span class="hop-track" aria-hidden="true"><i v-if="hop.at_ms !== null" :style="hop.bar"></i></span>
          </li></ol>
          <p v-if="found.conflict" class="w-meta trace-note">{{ t("trace.conflict") }}</p>
          <p v-if="inexact" class="w-meta trace-note">{{ t("trace.inexact") }}</p></section>
        <div class="mon-row">
          <section class="w-card"><div class="w-card-head"><h2 class="w-h2">{{ t("trace.fields") }}</h2></div>
            <dl class="fields"><div v-for="[key, value] in fields" :key="key"><dt class="w-mono">{{ key }}</dt><dd>{{ value }}</dd></div></dl></section>
          <div class="stack">
            <section class="w-card"><div class="w-card-head"><h2 class="w-h2">{{ t("nav.anomalies") }}</h2></div>
              <ul v-if="found.anomalies.length" class="facts"><li v-for="one in found.anomalies" :key="one.id" :class="'is-' + one.severity"><span class="inc-glyph" aria-hidden="true">{{ GLYPHS[one.severity] }}</span><span><b>{{ troubleName(one) }}</b> {{ evidenceLine(one.kind, one.evidence) }}</span><span class="w-pill" :class="one.status === 'resolved' ? 'is-green' : 'is-amber'">{{ t("status." + one.status) }}</span></li></ul>
              <p v-else class="facts-none">{{ t("trace.fine") }}</p></section>
            <section class="w-card"><div class="w-card-head"><h2 class="w-h2">{{ t("trace.record") }}</h2></div>
              <dl class="fields"><div v-for="[key, value] in record" :key="key"><dt>{{ key }}</dt><dd class="w-num">{{ value }}</dd></div></dl></section>
            <section v-if="found.versions.length" class="w-card"><div class="w-card-head"><h2 class="w-h2">{{ tn("thread.versions", found.versions.length) }}</h2></div>
              <pre class="raw" tabindex="0">{{ pretty(found.versions) }}</pre></section>
          </div></div>
        <section v-if="found.raw" class="w-card"><div class="w-card-head"><h2 class="w-h2">{{ t("trace.raw") }}</h2></div><pre class="raw" tabindex="0">{{ pretty(found.raw) }}</pre></section>
      </template>
      <div v-else class="w-card w-empty"><w-icon :name="error ? 'circle-alert' : 'route'" /><b>{{ error || t("loading") }}</b><a v-if="error" class="w-btn" :href="toAnomalies({ platform, account, conversation, message: query.message })">{{ t("nav.anomalies") }}</a></div>
    </div>`,
  data() {
    const [platform = "", account = "", conversation = ""] = splitKey(this.query.key || "");
    return { GLYPHS, platform, account, conversation, found: null, error: "" };
  },
  computed: {
    // The way in keeps its order; what comes after it is told in the order in which it happened, what is missing last.
    told() {
      const after = this.found.hops.filter((hop) => !WAY_IN.includes(hop.hop)).sort((a, b) => (a.at_ms ?? Infinity) - (b.at_ms ?? Infinity));
      let before = null;
      return [...this.found.hops.filter((hop) => WAY_IN.includes(hop.hop)), ...after].map((hop) => {
        const gap = before === null || hop.at_ms === null ? null : hop.at_ms - before;
        before = hop.at_ms ?? before;
        return { ...hop, after_ms: gap };
      });
    },
    reached() {
      return this.told.filter((hop) => hop.at_ms !== null);
    },
    total() {
      const times = this.reached.map((hop) => hop.at_ms);
      return times.length ? Math.max(...times) - Math.min(...times) : null;
    },
    // The slowest hop on the way in is to blame; how long a person takes to answer is not.
    slowest() {
      const way = this.reached.filter((hop) => WAY_IN.includes(hop.hop) && hop.after_ms >= GUILTY_MS);
      return way.sort((a, b) => b.after_ms - a.after_ms)[0];
    },
    hops() {
      const start = Math.min(...this.reached.map((hop) => hop.at_ms));
      const span = this.total || 1;
      let before = null;
      return this.told.map((hop) => {
        const from = before === null || hop.at_ms === null ? hop.at_ms : Math.min(before, hop.at_ms);
        const width = before === null || hop.at_ms === null ? 0 : (Math.abs(hop.at_ms - before) / span) * 100;
        if (hop.at_ms !== null) before = hop.at_ms;
        const left = Math.min(100 - LEAST_WIDTH, ((from - start) / span) * 100);
        return { ...hop, guilty: hop === this.slowest, bar: { left: `${left}%`, width: `${Math.max(LEAST_WIDTH, width)}%` } };
      });
    },
    inexact() {
      return this.found.hops.some((hop) => hop.exact === false && hop.at_ms !== null);
    },
    fields() {
      const filled = Object.entries(this.found.fields || {}).filter(([, value]) => value !== null && value !== "" && value !== false);
      return filled.map(([key, value]) => [key, typeof value === "string" || isNumber(value) ? String(value) : JSON.stringify(value)]);
    },
    record() {
      const { delay_ms: delay, offset_ms: offset, log, copies, merged_into: merged, attachments } = this.found;
      return [
        [t("evidence.delay_s"), duration(delay)],
        [t("evidence.offset_s"), offset ? duration(offset) : DASH],
        [t("evidence.copies"), copies || DASH],
        [t("trace.merged"), merged || DASH],
        [t("tile.attachments.short"), attachments.length || DASH],
        [t("trace.log"), log ? `${log.partition} / ${log.offset} / ${log.index}` : DASH],
      ];
    },
  },
  async created() {
    try {
      this.found = await ask(tracePath(this.query.key || "", this.query.message || ""));
    } catch (wrong) {
      this.error = wrong.message;
    }
  },
  methods: {
    t, tn, channelName, duration, evidenceLine, moment, precise, toAnomalies, toConversation, toMs, troubleName,
    name(hop) {
      return t(`life.${hop.hop}`);
    },
    gap: (hop) => (isNumber(hop.after_ms) ? (hop.after_ms < 0 ? "" : "+") + duration(hop.after_ms) : ""),
    pretty: (value) => JSON.stringify(value, null, 2),
    // One line of a trace file: `weir replay` reads it.
    copy() {
      navigator.clipboard.writeText(JSON.stringify(this.found.raw)).then(() => toast(t("trace.copied")), () => toast(t("trace.copy_failed"), "error"));
    },
  },
};
