// The threshold studio: choose a threshold and a place, move the line, see what it would have done, keep it or bring it into force.
import { WIcon, ask, can, channelKey, keepInAddress, moment, t, timeOfDay, toast } from "weir-core";
import {
  INHERIT, STEPS, TuningChart, TuningEffect, TuningTree, TuningVersions, activate, changed, complaint, difference, effective, history, isMovable, label, positionOf,
  preview, readSet, readVersions, scopeName, shown, stepped, store, valueAt,
} from "weir-tuning";

const HOUR_MS = 3_600_000;
const PERIODS = { "1h": HOUR_MS, "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS, "14d": 336 * HOUR_MS };
const CALM_MS = 250;
const LOOK_MS = 15_000;

// A link may name an account as it is written on the platform; a place's name has one `/` only.
function placeOf(scope) {
  const [platform, ...account] = scope.split("/");
  return account.length > 1 ? channelKey(platform, account.join("/")) : scope;
}

export default {
  components: { WIcon, TuningChart, TuningEffect, TuningTree, TuningVersions },
  props: { query: Object },
  template: `
    <div class="tun">
      <header class="tun-head">
        <div class="tun-title"><h1 class="w-h1">{{ t("tuning.title") }}</h1><p v-if="set" class="w-sub" role="status">{{ standing }}</p></div>
        <span v-if="fresh" class="w-pill is-green tun-fresh" role="status"><w-icon name="check" />{{ fresh }}</span>
        <div class="w-seg" role="group" :aria-label="t('tuning.period')"><button v-for="(_, name) in PERIODS" :key="name" type="button" :aria-pressed="period === name" @click="period = name">{{ t("tuning.period." + name) }}</button></div>
      </header>
      <div v-if="trouble" class="w-banner" role="alert"><w-icon name="triangle-alert" /><span>{{ trouble }}</span><button class="w-btn" type="button" @click="load">{{ t("tuning.reload") }}</button></div>
      <div v-if="set && !may" class="w-banner is-grey"><w-icon name="eye" /><span>{{ t("tuning.look_only") }}</span></div>
      <div v-if="set" class="tun-grid3">
        <tuning-tree :specs="set.thresholds" :overrides="set.overrides" :pending="pending" :name="name" :scope="scope" @choose="choose" />
        <section class="w-card tun-work" :aria-label="label(name)">
          <div class="w-card-head"><h2 class="w-h2">{{ label(name) }}</h2>
            <label class="w-field tun-scope"><span class="w-sr">{{ t("tuning.scope") }}</span><select :value="scope" @change="choose(name, $event.target.value)"><option v-for="one in scopes" :key="one" :value="one">{{ scopeName(one) }}</option></select><w-icon name="chevron-down" /></label></div>
          <div class="w-card-body">
            <p class="w-sub tun-about">{{ t("threshold.about." + name) }}</p>
            <tuning-chart v-if="spec.unit === 's'" :spec="spec" :points="series.points" :since="series.since" :until="series.until" :step-ms="series.stepMs" :now="inForce.value" :proposed="proposed" :movable="tries && proposed !== null" :busy="seriesBusy" @move="propose" />
            <p v-if="seriesError" class="w-meta" role="status">{{ seriesError }}</p>
            <fieldset class="tun-controls" :disabled="!tries">
              <legend class="w-sr">{{ t("tuning.proposed") }}</legend>
              <template v-if="movable">
                <button class="w-btn is-icon" type="button" :aria-label="t('tuning.down')" :disabled="proposed === null" @click="step(-1)">−</button>
                <input class="tun-slider" type="range" min="0" :max="STEPS" :value="position" :disabled="proposed === null" :aria-label="label(name)" :aria-valuetext="shown(spec, proposed)" @input="propose(valueAt(spec, Number($event.target.value)))" @keydown="slide">
                <button class="w-btn is-icon" type="button" :aria-label="t('tuning.up')" :disabled="proposed === null" @click="step(1)">+</button>
                <label class="w-field tun-number" :class="{ 'is-wrong': wrong }"><span class="w-sr">{{ t("tuning.value") }}</span><input :value="typed" inputmode="decimal" :disabled="proposed === null" :aria-invalid="!!wrong" aria-describedby="tun-wrong" @input="type($event.target.value)"><span class="tun-unit">{{ t("tuning.unit." + spec.unit) }}</span></label>
              </template>
              <label v-else class="w-field tun-text" :class="{ 'is-wrong': wrong }"><span class="w-sr">{{ t("tuning.value") }}</span><input :value="typed" maxlength="200" :aria-invalid="!!wrong" aria-describedby="tun-wrong" @input="type($event.target.value)"></label>
              <label v-if="spec.optional" class="tun-check"><input type="checkbox" :checked="proposed === null" @change="propose($event.target.checked ? null : (spec.default ?? 0))"><span>{{ t("tuning.switch_off") }}</span></label>
              <button v-if="canInherit" class="w-btn is-quiet" type="button" @click="propose(INHERIT)"><w-icon name="undo-2" />{{ t(scope ? "tuning.inherit" : "tuning.to_default") }}</button>
            </fieldset>
            <p id="tun-wrong" class="tun-wrong" role="alert">{{ wrong }}</p>
            <p class="w-meta">{{ origin }}</p>
          </div>
        </section>
        <div class="tun-side">
          <tuning-effect v-if="tries" :effect="effect" :busy="effectBusy" :error="effectError" :kind="spec.kind" :touched="changes.length > 0" @retry="count" />
          <section v-if="changes.length" class="w-card tun-keep" :aria-label="t('tuning.pending')">
            <div class="w-card-head"><h2 class="w-h2">{{ t("tuning.pending") }}</h2></div>
            <div class="w-card-body">
              <ul class="tun-diff"><li v-for="one in changes" :key="one.scope + one.name"><span>{{ scopeName(one.scope) }} · {{ label(one.name) }}</span> <s>{{ say(one, one.old) }}</s> → <b>{{ say(one, one.value) }}</b><button class="w-btn is-icon is-quiet tun-undo" type="button" :aria-label="t('tuning.undo')" @click="forget(one)"><w-icon name="x" /></button></li></ul>
              <template v-if="may"><label class="w-field"><span class="w-sr">{{ t("tuning.note") }}</span><input v-model="note" maxlength="300" :placeholder="t('tuning.note')"></label>
                <div class="tun-buttons"><button class="w-btn is-primary" type="button" :disabled="saving || !!wrong" @click="save(false)">{{ t("tuning.activate") }}</button><button class="w-btn" type="button" :disabled="saving || !!wrong" @click="save(true)">{{ t("tuning.save_draft") }}</button><button class="w-btn is-quiet" type="button" :disabled="saving" @click="discard">{{ t("tuning.discard") }}</button></div></template>
              <div v-else class="tun-buttons"><button class="w-btn is-quiet" type="button" @click="discard">{{ t("tuning.discard") }}</button></div>
            </div>
          </section>
        </div>
      </div>
      <p v-else-if="!trouble" class="w-card w-empty">{{ t("loading") }}</p>
      <tuning-versions v-if="set" :specs="set.thresholds" :versions="versions" :current="set" :may="may" :busy="saving" @activate="bring" @open="open" />
    </div>`,
  data: () => ({
    PERIODS, STEPS, INHERIT, set: null, versions: [], channels: [], name: "", scope: "", period: "24h", pending: {}, typed: "", wrong: "", note: "", fresh: "", trouble: "", saving: false,
    series: { points: [], since: 0, until: 1, stepMs: 1 }, seriesBusy: false, seriesError: "", effect: null, effectBusy: false, effectError: "", may: can("change_thresholds"), tries: can("preview_thresholds"),
  }),
  computed: {
    spec() {
      return this.set.thresholds.find((one) => one.name === this.name);
    },
    movable() {
      return isMovable(this.spec);
    },
    changes() {
      return Object.entries(this.pending).map(([key, value]) => {
        const cut = key.lastIndexOf(":");
        const [scope, name] = [key.slice(0, cut), key.slice(cut + 1)];
        const own = this.set.overrides[scope];
        return { scope, name, value, old: own && name in own ? own[name] : INHERIT };
      }).filter((one) => one.value !== one.old);
    },
    inForce() {
      return effective(this.set.overrides, this.spec, this.scope);
    },
    planned() {
      return effective(changed(this.set.overrides, this.changes), this.spec, this.scope);
    },
    proposed() {
      return this.set && this.name ? this.planned.value : null;
    },
    position() {
      return positionOf(this.spec, this.proposed);
    },
    canInherit() {
      return this.planned.from === this.scope;
    },
    scopes() {
      const known = [...this.channels, ...Object.keys(this.set.overrides), ...Object.keys(this.pending).map((key) => key.slice(0, key.lastIndexOf(":"))), this.scope];
      const all = known.flatMap((scope) => (scope.includes("/") ? [scope.split("/")[0], scope] : [scope]));
      return ["", ...[...new Set(all.filter(Boolean))].sort()];
    },
    standing() {
      const { version, at, who } = this.set;
      return version ? t("tuning.standing", { version, who: who || "–", at: moment(Date.parse(at)) }) : t("tuning.standing_default");
    },
    origin() {
      const value = shown(this.spec, this.inForce.value);
      if (this.inForce.from === null) return t("tuning.from_default", { value });
      return this.inForce.from === this.scope ? t("tuning.from_here", { value }) : t("tuning.from_wider", { value, scope: scopeName(this.inForce.from) });
    },
  },
  watch: {
    period: "measure",
    proposed() {
      if (!this.typing) this.typed = this.written();
    },
  },
  async mounted() {
    await this.load();
    this.timer = setInterval(() => document.hidden || this.look(), LOOK_MS);
    // Only for the list of places: without it those that have a value of their own can still be tuned.
    ask("/monitor?range=15m").then((snap) => (this.channels = snap.channels.map((row) => row.key)), () => null);
  },
  unmounted() {
    clearInterval(this.timer);
    clearTimeout(this.later);
    for (const job of [this.counting, this.measuring]) if (job) job.abort();
  },
  methods: {
    t, label, scopeName, shown, valueAt,
    async load() {
      try {
        const [set, versions] = await Promise.all([readSet(), readVersions()]);
        Object.assign(this, { set, versions, trouble: "" });
        if (!this.name) this.start();
        else this.count();
      } catch (error) {
        this.trouble = error.message;
      }
    },
    // The address may name a kind and a place: "false alarm" on the monitor leads here.
    start() {
      const { kind, name, scope } = this.query;
      const wanted = this.set.thresholds.find((one) => one.name === name) || this.set.thresholds.find((one) => one.kind === kind) || this.set.thresholds[0];
      this.choose(wanted.name, placeOf(scope || ""));
    },
    choose(name, scope) {
      Object.assign(this, { name, scope, wrong: "", typing: false });
      this.typed = this.written();
      keepInAddress({ name, scope });
      this.measure();
    },
    written() {
      const value = this.proposed;
      return value === null ? "" : String(value);
    },
    propose(value) {
      this.typing = false;
      this.accept(value);
      this.typed = this.written();
    },
    accept(value) {
      this.wrong = value === INHERIT ? "" : complaint(this.spec, value);
      if (this.wrong) return;
      const own = this.set.overrides[this.scope];
      const old = own && this.name in own ? own[this.name] : INHERIT;
      const pending = { ...this.pending };
      if (value === old || (old === INHERIT && !this.scope && value === this.spec.default)) delete pending[`${this.scope}:${this.name}`];
      else pending[`${this.scope}:${this.name}`] = value;
      this.pending = pending;
      this.fresh = "";
      this.soon();
    },
    type(text) {
      this.typing = true;
      this.typed = text;
      const plain = text.trim().replace(",", ".");
      this.accept(this.movable ? (plain === "" ? NaN : Number(plain)) : text.trim());
    },
    step(direction, coarse) {
      this.propose(stepped(this.spec, this.proposed, direction, coarse));
    },
    slide(event) {
      const direction = { ArrowUp: 1, ArrowRight: 1, PageUp: 1, ArrowDown: -1, ArrowLeft: -1, PageDown: -1 }[event.key];
      if (!direction) return;
      event.preventDefault();
      this.step(direction, event.key.startsWith("Page"));
    },
    forget(one) {
      const pending = { ...this.pending };
      delete pending[`${one.scope}:${one.name}`];
      this.pending = pending;
      this.typing = false;
      this.wrong = "";
      this.typed = this.written();
      this.soon();
    },
    discard() {
      Object.assign(this, { pending: {}, wrong: "", note: "", typing: false });
      this.typed = this.written();
      this.soon();
    },
    say(one, value) {
      return shown(this.set.thresholds.find((spec) => spec.name === one.name), value, one.scope);
    },
    bounds() {
      const until = Date.now();
      return [until - PERIODS[this.period], until];
    },
    async measure() {
      this.count();
      if (this.measuring) this.measuring.abort();
      const mine = (this.measuring = new AbortController());
      Object.assign(this, { seriesBusy: true, seriesError: "" });
      const [since, until] = this.bounds();
      try {
        this.series = await history(this.name, this.scope, since, until, mine.signal);
      } catch (error) {
        if (error.name === "AbortError") return;
        Object.assign(this, { series: { points: [], since, until, stepMs: 1 }, seriesError: error.message });
      }
      this.seriesBusy = false;
    },
    soon() {
      clearTimeout(this.later);
      this.effectBusy = this.tries;
      this.later = setTimeout(this.count, CALM_MS);
    },
    async count() {
      clearTimeout(this.later);
      if (!this.tries) return;
      if (this.counting) this.counting.abort();
      const mine = (this.counting = new AbortController());
      Object.assign(this, { effectBusy: true, effectError: "" });
      try {
        this.effect = await preview(this.changes, ...this.bounds(), mine.signal);
      } catch (error) {
        if (error.name === "AbortError") return;
        this.effectError = error.message;
      }
      this.effectBusy = false;
    },
    async save(draft) {
      await this.keep(() => store(this.changes, this.set.version, this.note, draft), draft);
      if (!this.trouble) this.discard();
    },
    async bring(version) {
      await this.keep(() => activate(version, this.set.version), false);
    },
    async keep(act, draft) {
      Object.assign(this, { saving: true, trouble: "" });
      try {
        const made = await act();
        this.typing = false;
        await this.load();
        this.typed = this.written();
        if (draft) toast(t("tuning.drafted", { version: made.version }));
        // Said only once the server, asked again, has it in force.
        else if (this.set.version === made.version) this.fresh = t("tuning.since", { version: made.version, at: timeOfDay(Date.parse(this.set.at)) });
      } catch (error) {
        this.trouble = error.message;
      }
      this.saving = false;
    },
    open(version) {
      this.pending = Object.fromEntries(difference(this.set.overrides, version.overrides).map(({ scope, name, value }) => [`${scope}:${name}`, value]));
      this.note = version.note;
      const first = this.changes[0];
      if (first) this.choose(first.name, first.scope);
      else toast(t("tuning.back_nothing"));
    },
    async look() {
      const set = await readSet().catch(() => null);
      if (!set || set.version === this.set.version || this.saving) return;
      if (this.changes.length) this.trouble = t("tuning.moved", { who: set.who, version: set.version });
      else this.load();
    },
  },
};
