// One bound channel: whether it works, what tells so, and what can be done about it.
import { DASH, WIcon, age, ask, dayMinute, duration, live, moment, number, platformName, t, tn } from "weir-core";

const SOON_MS = 7 * 86_400_000;
const WAIT_MS = 120_000;
const LOOK_MS = 2_000;
const at = (text) => (text ? Date.parse(text) : null);
export const bindingPath = ({ platform, account }) => `/bindings/${encodeURIComponent(platform)}/${encodeURIComponent(account)}`;

// What is wrong, the worst first, as [tone, sentence].
export function troublesOf(row, now) {
  const { state } = row;
  const ends = at(state.expires_at);
  const lasting = ends && !row.refresh_by;
  const found = [
    row.trouble && ["red", row.trouble],
    row.missing.length && ["red", t("binding.missing", { names: row.missing.map((name) => t(`binding.name.${name}`)).join(", ") })],
    (state.auth === "expired" || state.auth === "revoked") && ["red", t(`binding.lost.${state.auth}`)],
    state.signatures_since && ["red", t("binding.signatures", { time: moment(at(state.signatures_since)) })],
    state.subscription === "disabled" && ["red", t("binding.switched_off")],
    state.lacking.length && ["amber", t("binding.lacking", { names: state.lacking.join(", ") })],
    lasting && ends > now && ends - now < SOON_MS && ["amber", t("binding.ends_soon", { time: duration(ends - now) })],
    state.unrenewed && ["amber", t("binding.unrenewed", { reason: state.unrenewed })],
    state.trouble && ["amber", t("binding.platform_says", { reason: state.trouble })],
    state.sweep && state.sweep.failing_since && ["amber", t("binding.sweep_fails", { time: moment(at(state.sweep.failing_since)), reason: state.sweep.reason || DASH })],
    state.detail && ["grey", state.detail],
  ];
  return found.filter(Boolean);
}

// The next message of a channel, shown as it comes in; it can be broken off.
const LiveTest = {
  name: "LiveTest",
  components: { WIcon },
  props: { row: Object },
  emits: ["end"],
  template: `
    <div class="ch-test" role="status" :class="found ? 'is-green' : over ? 'is-amber' : ''">
      <w-icon :name="found ? 'circle-check' : over ? 'triangle-alert' : 'radio-tower'" />
      <div class="set-break"><template v-if="found"><b>{{ t("binding.test.arrived") }}</b><p><bdi>{{ found.contact_name || found.conversation }}</bdi>: <bdi>{{ found.last_text || t("binding.test.no_text") }}</bdi></p></template>
      <template v-else-if="over"><b>{{ t("binding.test.nothing") }}</b><p>{{ t("binding.test.nothing_text") }}</p></template>
      <template v-else><b>{{ t("binding.test.send") }}</b><p>{{ t("binding.test.waiting", { time: duration(left) }) }}</p></template>
      <p v-if="trouble" class="set-why">{{ trouble }}</p></div>
      <button class="w-btn" type="button" @click="$emit('end')">{{ t(found || over ? "close" : "cancel") }}</button>
    </div>`,
  data: () => ({ found: null, left: WAIT_MS, trouble: "" }),
  computed: {
    over() {
      return this.left <= 0;
    },
  },
  mounted() {
    this.until = performance.now() + WAIT_MS;
    this.given_up = new AbortController();
    this.look();
  },
  beforeUnmount() {
    this.given_up.abort();
    clearTimeout(this.timer);
  },
  methods: {
    t, duration,
    async look() {
      try {
        const { platform, account } = this.row;
        const where = new URLSearchParams({ platform, account, limit: 1 });
        const [latest] = (await ask(`/conversations?${where}`, this.given_up.signal)).items;
        const seen = latest ? at(latest.last_at) : 0;
        if (this.before === undefined) this.before = seen;
        else if (seen > this.before) this.found = latest;
        this.trouble = "";
      } catch (error) {
        if (error.name === "AbortError") return;
        this.trouble = error.message;
      }
      this.left = Math.max(0, this.until - performance.now());
      if (!this.found && this.left > 0) this.timer = setTimeout(this.look, LOOK_MS);
    },
  },
};

export const ChannelCard = {
  name: "ChannelCard",
  components: { LiveTest, WIcon },
  props: { row: Object, known: Object, busy: Boolean },
  emits: ["change", "remove", "sweep"],
  template: `
    <li class="ch" :class="'is-' + tone">
      <div class="ch-head"><h3 class="set-break"><b>{{ platformName(row.platform) }}</b> <bdi>{{ row.account }}</bdi></h3><span class="w-pill" :class="'is-' + tone">{{ t(WORDS[tone]) }}</span></div>
      <ul v-if="troubles.length" class="ch-troubles"><li v-for="[tone, text] in troubles" :key="text" :class="'is-' + tone"><w-icon :name="tone === 'grey' ? 'circle-question-mark' : 'circle-alert'" /><span class="set-break">{{ text }}</span></li></ul>
      <dl class="ch-facts">
        <div><dt>{{ t("binding.fact.auth") }}</dt><dd :title="row.state.expires_at ? moment(at(row.state.expires_at)) : ''">{{ authorised }}</dd></div>
        <div><dt>{{ t("binding.fact.webhooks") }}</dt><dd :title="row.state.asked_at ? t('binding.asked', { time: moment(at(row.state.asked_at)) }) : ''">{{ t("binding.subscription." + row.state.subscription) }}</dd></div>
        <div><dt>{{ t("binding.fact.last_in") }}</dt><dd :title="moment(at(row.state.last_in_at))">{{ row.state.last_in_at ? ago(row.state.last_in_at) : t("binding.never") }}</dd></div>
        <div><dt>{{ t("binding.fact.sweep") }}</dt><dd>{{ swept }}</dd></div>
        <div v-if="past !== null" class="ch-wide"><dt>{{ t("binding.fact.past") }}</dt><dd class="ch-past"><progress :value="past" max="1" :aria-label="t('binding.fact.past')"></progress><span>{{ t("binding.past", { percent: number(Math.round(past * 100)) }) }}</span></dd></div>
        <div class="ch-wide"><dt>{{ t("binding.address") }}</dt><dd class="w-mono set-address set-break"><bdi>{{ row.url }}</bdi></dd></div>
      </dl>
      <live-test v-if="testing" :row="row" @end="testing = false" />
      <div class="ch-acts">
        <a v-if="row.state.oauth" class="w-btn" :class="{ 'is-primary': lost }" :href="authorise"><w-icon name="key-round" />{{ t("binding.authorise") }}</a>
        <button class="w-btn" type="button" :disabled="testing" @click="testing = true"><w-icon name="radio-tower" />{{ t("binding.test") }}</button>
        <button v-if="row.state.gives_history" class="w-btn" type="button" :disabled="busy" @click="$emit('sweep')"><w-icon name="refresh-cw" />{{ t("binding.sweep") }}</button>
        <button class="w-btn" type="button" :disabled="busy || !known" @click="$emit('change')"><w-icon name="pencil" />{{ t("binding.change") }}</button>
        <button class="w-btn is-danger" type="button" :disabled="busy" @click="$emit('remove')"><w-icon name="trash-2" />{{ t("binding.remove") }}</button>
        <span class="w-meta ch-changed">{{ t("binding.changed") }} <span class="w-num" :title="moment(at(row.changed_at))">{{ dayMinute(at(row.changed_at)) }}</span></span>
      </div>
    </li>`,
  data: () => ({ testing: false }),
  computed: {
    now: () => live.now || Date.now(),
    troubles() {
      return troublesOf(this.row, this.now);
    },
    tone() {
      const tones = this.troubles.map(([tone]) => tone);
      return tones.includes("red") ? "red" : tones.includes("amber") ? "amber" : "green";
    },
    lost() {
      return ["expired", "revoked"].includes(this.row.state.auth) || this.row.state.lacking.length > 0;
    },
    authorise() {
      return `/api/v1${bindingPath(this.row)}/authorise`;
    },
    authorised() {
      const { auth, expires_at } = this.row.state;
      const ends = at(expires_at);
      if (auth === "expired" || auth === "revoked") return t(`auth.${auth}`);
      if (ends && this.row.refresh_by) return t("binding.renewed", { time: duration(Math.max(0, ends - this.now)) });
      if (ends) return ends > this.now ? t("binding.ends", { time: duration(ends - this.now) }) : t("auth.expired");
      return auth ? t("binding.lasting") : t("binding.unknown");
    },
    swept() {
      const { gives_history, sweep } = this.row.state;
      if (!gives_history) return t("binding.sweep_none");
      if (!sweep || !sweep.ended_at) return t("binding.sweep_not_yet");
      return t("binding.swept", { checked: tn("binding.checked", sweep.checked), fresh: number(sweep.new), time: this.ago(sweep.ended_at) });
    },
    past() {
      return this.row.state.history;
    },
  },
  created() {
    this.WORDS = { red: "binding.broken", amber: "binding.look", green: "binding.bound" };
  },
  methods: {
    t, at, dayMinute, moment, number, platformName,
    ago(text) {
      return t("binding.ago", { time: age(this.now - at(text)) });
    },
  },
};
