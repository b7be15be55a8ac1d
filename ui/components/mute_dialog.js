// Asks what to mute, for how long and why; opened by "weir-mute" from wherever a trouble stands. Mounted once, in the frame.
import { TROUBLES, WIcon, ask, changed, live, muteTrouble, mutePlace, platformName, t, tell, toast } from "weir-core";

const LENGTHS = [15, 60, 240, 0];
const MINUTE_MS = 60_000;
const LONGEST_MS = 7 * 86_400_000;

// A time as the browser's own picker writes it, by the clock on the wall.
function written(at) {
  const local = new Date(at - new Date(at).getTimezoneOffset() * MINUTE_MS);
  return local.toISOString().slice(0, 16);
}

export default {
  components: { WIcon },
  template: `
    <div v-if="wish" class="w-scrim" @click.self="close" @keydown.esc.stop="close">
      <form class="w-dialog" role="dialog" aria-modal="true" :aria-label="t('mute.title')" @submit.prevent="make">
        <h2 class="w-h2">{{ t("mute.title") }}</h2><p class="w-sub">{{ t("mute.text") }}</p>
        <div class="mute-what">
          <label class="set-label">{{ t("mute.trouble") }}<span class="w-field"><select v-model="wish.kind"><option value="">{{ t("mute.everything") }}</option><option v-for="kind in TROUBLES" :key="kind" :value="kind">{{ t("kind." + kind) }}</option></select><w-icon name="chevron-down" /></span></label>
          <label class="set-label">{{ t("monitor.platform") }}<span class="w-field"><select v-model="wish.platform" @change="wish.account = ''"><option value="">{{ t("monitor.all_platforms") }}</option><option v-for="platform in platforms" :key="platform" :value="platform">{{ platformName(platform) }}</option></select><w-icon name="chevron-down" /></span></label>
          <label v-if="wish.platform" class="set-label">{{ t("monitor.account") }}<span class="w-field"><select v-model="wish.account"><option value="">{{ t("monitor.all_accounts") }}</option><option v-for="account in accounts" :key="account" :value="account">{{ account }}</option></select><w-icon name="chevron-down" /></span></label>
        </div>
        <fieldset class="set-lives"><legend>{{ t("mute.length") }}</legend><span class="w-seg"><button v-for="minutes in LENGTHS" :key="minutes" type="button" :aria-pressed="wish.minutes === minutes" @click="wish.minutes = minutes">{{ t(minutes ? "mute.for." + minutes : "mute.for.until") }}</button></span></fieldset>
        <label v-if="!wish.minutes" class="set-label">{{ t("mute.until") }}<span class="w-field"><input v-model="wish.until" type="datetime-local" :min="soonest" :max="latest" required></span></label>
        <label class="set-label">{{ t("mute.reason") }}<span class="w-field"><input ref="reason" v-model="wish.reason" required maxlength="500" autocomplete="off" :placeholder="t('mute.reason_like')"></span></label>
        <p v-if="!wish.platform && !wish.kind" class="w-meta">{{ t("mute.too_wide") }}</p>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <div class="w-dialog-actions"><button class="w-btn" type="button" @click="close">{{ t("cancel") }}</button><button class="w-btn is-primary" type="submit" :disabled="busy || (!wish.platform && !wish.kind)"><w-icon name="bell-off" />{{ t("mute.act") }}</button></div>
      </form>
    </div>`,
  data: () => ({ TROUBLES, LENGTHS, wish: null, trouble: "", busy: false, known: [], soonest: "", latest: "" }),
  computed: {
    platforms() {
      return [...new Set([...this.known.map(([platform]) => platform), this.wish.platform].filter(Boolean))].sort();
    },
    accounts() {
      const here = this.known.filter(([platform]) => platform === this.wish.platform).map(([, account]) => account);
      return [...new Set([...here, this.wish.account].filter(Boolean))].sort();
    },
  },
  mounted() {
    this.asked = ({ detail }) => this.open(detail);
    window.addEventListener("weir-mute", this.asked);
  },
  unmounted() {
    window.removeEventListener("weir-mute", this.asked);
  },
  methods: {
    t, platformName,
    open({ kind = "", platform = "", account = "" }) {
      this.before = document.activeElement;
      Object.assign(this, { trouble: "", soonest: written(live.now + MINUTE_MS), latest: written(live.now + LONGEST_MS) });
      this.wish = { kind, platform, account, minutes: 60, until: written(live.now + 60 * MINUTE_MS), reason: "" };
      this.$nextTick(() => this.$refs.reason.focus());
      // Filters may hide channels: the dialog offers all of them.
      ask("/monitor?range=15m").then((found) => (this.known = found.channels.map((row) => [row.platform, row.account])), () => null);
    },
    close() {
      this.wish = null;
      if (this.before && this.before.isConnected) this.before.focus();
    },
    async make() {
      const { kind, platform, account, minutes, until, reason } = this.wish;
      const length = minutes ? { minutes } : { until: new Date(until).getTime() };
      this.busy = true;
      this.trouble = "";
      try {
        await tell("/mutes", { kind: kind || null, platform: platform || null, account: account || null, reason, ...length });
        toast(t("mute.made", { trouble: muteTrouble({ kind }), place: mutePlace({ platform, account }) }));
        this.close();
        changed();
      } catch (wrong) {
        this.trouble = wrong.message;
      }
      this.busy = false;
    },
  },
};
