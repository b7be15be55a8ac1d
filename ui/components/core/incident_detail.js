// One incident: facts, the guilty hop, the evidence, sample messages, and what to do.
import { t, tn } from "./texts.js";
import { age, channelName, dayMinute, duration, isNumber, number, toMs } from "./format.js";
import { evidenceLine, evidenceRows, troubleName } from "./evidence.js";
import { can, live } from "./live.js";
import { endWords, lift, openMute } from "./mutes.js";
import { WAgo, WIcon } from "./parts.js";
import { conversationKey, toChannel, channelKey, toAnomalies, toConversation, toTrace } from "./places.js";

const HOPS = ["platform_ms", "gateway_ms", "queue_ms", "store_ms"];
const CAUSES = ["platform", "network", "account", "configuration", "fixed", "other"];
const GLYPHS = { critical: "■", warning: "▲", info: "●" };

export const IncidentDetail = {
  name: "IncidentDetail",
  components: { WAgo, WIcon },
  props: { incident: Object, detail: Object, error: String, may: Boolean, busy: String },
  emits: ["act", "close", "choose"],
  template: `
    <article class="det" :class="'is-' + incident.severity" :aria-label="t('detail.title')">
      <header class="det-head"><span class="inc-glyph" aria-hidden="true">{{ GLYPHS[incident.severity] }}</span>
        <div class="det-name"><h3 class="w-h2">{{ troubleName(incident) }}</h3><a class="w-link" :href="toChannel(channelKey(incident.platform, incident.account))">{{ channelName(incident.platform, incident.account) }}</a></div>
        <span class="w-pill" :class="tone">{{ t("status." + incident.status) }}</span>
        <button class="w-btn is-icon is-quiet det-close" type="button" :aria-label="t('close')" @click="$emit('close')"><w-icon name="x" /></button></header>
      <p v-if="incident.muted_by" class="det-quiet"><w-icon name="bell-off" /><span class="break">{{ mute ? t("mute.note", { at: endWords(mute.until), who: mute.who }) : t("incidents.quiet", { at: endWords(incident.muted_until) }) }}<template v-if="mute">: <bdi>{{ mute.reason }}</bdi></template></span><button v-if="mute && mutes" class="w-btn" type="button" @click="lift(mute)">{{ t("mute.lift") }}</button></p>
      <p v-if="line" class="det-line">{{ line }}</p>
      <dl class="det-facts">
        <div><dt>{{ t("detail.since") }}</dt><dd class="w-num">{{ dayMinute(incident.since) }} <span class="w-meta">(<w-ago :at="incident.since" />)</span></dd></div>
        <div><dt>{{ t("detail.noticed") }}</dt><dd class="w-num">{{ dayMinute(incident.opened_at) }}</dd></div>
        <div><dt>{{ t("detail.messages") }}</dt><dd class="w-num"><a class="w-link" :href="rowsBehind">{{ t("detail.open_of", { open: number(incident.open), n: number(incident.count) }) }}</a></dd></div>
        <div v-if="incident.hidden"><dt>{{ t("detail.hidden") }}</dt><dd class="w-num">{{ number(incident.hidden) }}</dd></div>
        <div v-if="incident.by"><dt>{{ t("detail.by") }}</dt><dd>{{ incident.by }}</dd></div>
      </dl>
      <footer v-if="(may || mutes) && incident.status !== 'resolved'" class="det-actions">
        <button v-if="may && incident.status === 'open'" class="w-btn is-primary" type="button" :disabled="!!busy" @click="$emit('act', { name: 'acknowledge' })"><w-icon name="check" />{{ t("act.acknowledge") }}</button>
        <button v-if="may" class="w-btn" type="button" :disabled="!!busy" @click="asking = true"><w-icon name="check-check" />{{ t("act.resolve") }}</button>
        <button v-if="may && syncable" class="w-btn" type="button" :disabled="!!busy" @click="$emit('act', { name: 'resync' })"><w-icon name="refresh-cw" />{{ t("act.resync") }}</button>
        <button v-if="may && tunes" class="w-btn is-quiet" type="button" :disabled="!!busy" @click="$emit('act', { name: 'false-alarm' })"><w-icon name="circle-x" />{{ t("act.false_alarm") }}</button>
        <button v-if="mutes && !incident.muted_by" class="w-btn is-quiet" type="button" @click="openMute({ platform: incident.platform, account: incident.account, kind: incident.guide || incident.kind })"><w-icon name="bell-off" />{{ t("mute.act") }}</button>
      </footer>
      <section v-if="hops.length" class="det-hops"><h4>{{ t("detail.hops") }}</h4>
        <div class="hopbar" role="img" :aria-label="hopsSpoken"><i v-for="hop in hops" :key="hop.name" :class="{ 'is-guilty': hop.guilty }" :style="{ flexGrow: hop.ms }"></i></div>
        <ul class="hopkey"><li v-for="hop in hops" :key="hop.name" :class="{ 'is-guilty': hop.guilty }"><span>{{ t("hop." + hop.name) }}</span><b class="w-num">{{ duration(hop.ms) }}</b></li></ul>
        <p v-if="guilty" class="w-meta">{{ t("detail.guilty", { hop: t("hop." + guilty.name) }) }}</p></section>
      <section v-if="evidence.length"><h4>{{ t("detail.evidence") }}</h4><dl class="det-evidence"><div v-for="[label, value] in evidence" :key="label"><dt>{{ label }}</dt><dd class="w-num">{{ value }}</dd></div></dl></section>
      <section v-if="samples.length"><h4>{{ t("detail.samples") }}</h4><ul class="det-samples"><li v-for="one in samples" :key="one.id"><component :is="one.to ? 'a' : 'span'" :href="one.to" class="sample"><span class="w-mono sample-id">{{ one.name }}</span><span class="sample-line">{{ one.line }}</span><span class="w-num w-meta"><w-ago :at="one.at" /></span><w-icon v-if="one.to" name="chevron-right" /></component></li></ul></section>
      <section v-if="hides.length"><h4>{{ t("detail.hides") }}</h4><ul class="det-hides"><li v-for="one in hides" :key="one.id"><button class="w-link" type="button" @click="$emit('choose', one.id)">{{ troubleName(one) }}</button><span class="w-num">{{ number(one.open) }}</span></li></ul></section>
      <section v-if="steps.length"><h4>{{ t("detail.todo") }}</h4><ol class="det-steps"><li v-for="step in steps" :key="step.action"><span>{{ t("action." + step.action) }}</span><span v-if="step.tried_at" class="w-meta">{{ t("detail.tried", { age: age(live.now - toMs(step.tried_at)) }) }}{{ step.result ? ": " + step.result : "" }}</span></li></ol></section>
      <p v-if="error" class="det-error" role="alert">{{ error }}</p>
      <div v-if="asking" class="w-scrim" @click.self="asking = false" @keydown.esc.stop="asking = false">
        <form class="w-dialog" role="dialog" aria-modal="true" :aria-label="t('resolve.title')" @submit.prevent="resolve"><h2 class="w-h2">{{ t("resolve.title") }}</h2><p class="w-sub">{{ tn("resolve.text", incident.open || incident.count) }}</p>
          <fieldset class="causes"><legend class="w-sr">{{ t("resolve.cause") }}</legend><label v-for="name in CAUSES" :key="name"><input v-model="cause" type="radio" name="cause" :value="name"><span>{{ t("resolve.cause." + name) }}</span></label></fieldset>
          <label class="w-field"><span class="w-sr">{{ t("resolve.note") }}</span><input v-model="note" :placeholder="t('resolve.note')" maxlength="300"></label>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="asking = false">{{ t("cancel") }}</button><button ref="go" class="w-btn is-primary" type="submit">{{ t("act.resolve") }}</button></div></form>
      </div>
    </article>`,
  data: () => ({ live, GLYPHS, CAUSES, asking: false, cause: "platform", note: "" }),
  computed: {
    line() {
      return evidenceLine(this.incident.kind, this.incident.evidence);
    },
    tone() {
      return { open: this.incident.severity === "critical" ? "is-red" : "is-amber", acknowledged: "is-accent", resolved: "is-green" }[this.incident.status];
    },
    rowsBehind() {
      const { platform, account, kind, guide } = this.incident;
      return toAnomalies({ platform, account, kind, cause: kind === "loss" ? (guide === "loss_outbound" ? "outbound" : "inbound") : "" });
    },
    hops() {
      const found = (this.detail && this.detail.hops) || {};
      const rows = HOPS.filter((name) => isNumber(found[name])).map((name) => ({ name: name.replace("_ms", ""), ms: Math.max(0, found[name]) }));
      const most = Math.max(0, ...rows.map((row) => row.ms));
      return most ? rows.map((row) => ({ ...row, guilty: row.ms === most })) : [];
    },
    guilty() {
      return this.hops.find((hop) => hop.guilty);
    },
    hopsSpoken() {
      return this.hops.map((hop) => `${t("hop." + hop.name)} ${duration(hop.ms)}`).join(", ");
    },
    evidence() {
      return evidenceRows({ ...(this.detail && this.detail.incident.evidence), ...this.incident.evidence, ...this.impact });
    },
    samples() {
      return ((this.detail && this.detail.anomalies) || []).filter((one) => one.conversation).slice(0, 20).map((one) => ({
        id: one.id,
        name: one.message || one.conversation,
        line: evidenceLine(one.kind, one.evidence),
        at: toMs(one.since),
        to: can("view_messages") ? this.place(one) : undefined,
      }));
    },
    impact() {
      const found = (this.detail && this.detail.impact) || {};
      return isNumber(found.max_delay_ms) ? { messages: found.messages, max_delay_ms: found.max_delay_ms } : {};
    },
    hides() {
      return (this.detail && this.detail.hides) || [];
    },
    steps() {
      return (this.detail && this.detail.actions) || [];
    },
    syncable() {
      return this.steps.some((step) => step.action === "resync");
    },
    tunes: () => can("view_thresholds"),
    mutes: () => can("mute"),
    mute() {
      return ((live.snap && live.snap.mutes) || []).find((mute) => mute.id === this.incident.muted_by);
    },
  },
  watch: {
    asking(shown) {
      if (shown) this.$nextTick(() => this.$refs.go.focus());
    },
  },
  mounted() {
    this.ask = () => this.may && this.incident.status !== "resolved" && (this.asking = true);
    window.addEventListener("weir-resolve", this.ask);
  },
  unmounted() {
    window.removeEventListener("weir-resolve", this.ask);
  },
  methods: {
    t, tn, age, number, duration, dayMinute, endWords, lift, openMute, toMs, troubleName, channelName, channelKey, toChannel,
    // A gap has a number and no message; its conversation shows what stands around it.
    place(one) {
      const key = conversationKey(one.platform, one.account, one.conversation);
      return one.message ? toTrace(key, one.message) : toConversation(key);
    },
    resolve() {
      this.asking = false;
      this.$emit("act", { name: "resolve", body: { cause: this.note ? `${this.cause}: ${this.note.trim()}` : this.cause } });
    },
  },
};
