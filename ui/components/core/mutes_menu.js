// "2 muted" in the monitor's head: what is quiet, until when, why; and the way to end it.
import { number } from "./format.js";
import { can, live } from "./live.js";
import { endWords, lift, muteTrouble, mutePlace, openMute } from "./mutes.js";
import { WIcon } from "./parts.js";
import { t, tn } from "./texts.js";

export const MutesMenu = {
  name: "MutesMenu",
  components: { WIcon },
  template: `
    <div class="mutes" @click.stop>
      <button ref="opener" class="w-btn mutes-open" :class="{ 'is-on': total }" type="button" :aria-expanded="open" :title="t('mute.list')" @click="open = !open"><w-icon name="bell-off" /><span class="w-num">{{ total ? tn("mute.count", total) : t("mute.none_short") }}</span></button>
      <section v-if="open" class="mutes-menu" :aria-label="t('mute.list')">
        <ul v-if="mutes.length" class="mutes-list"><li v-for="mute in mutes" :key="mute.id">
          <div class="mutes-what"><b>{{ muteTrouble(mute) }}</b> <span class="break">{{ mutePlace(mute) }}</span><p class="w-meta break">{{ t("mute.line", { at: endWords(mute.until), who: mute.who }) }} · <bdi>{{ mute.reason }}</bdi></p></div>
          <span class="w-num mutes-n" :title="tn('mute.quiet', mute.count)">{{ number(mute.count) }}</span>
          <button v-if="may" class="w-btn" type="button" :disabled="busy === mute.id" @click="end(mute)">{{ t("mute.lift") }}</button></li></ul>
        <p v-else class="w-meta mutes-none">{{ t("mute.none") }}</p>
        <footer class="mutes-foot"><a class="w-link" href="/mutes">{{ t(total > mutes.length ? "mute.all_of" : "mute.all", { n: number(total) }) }}</a><button v-if="may" class="w-btn" type="button" @click="fresh"><w-icon name="plus" />{{ t("mute.new") }}</button></footer>
      </section>
    </div>`,
  data: () => ({ live, open: false, busy: "", may: can("mute") }),
  computed: {
    mutes: () => (live.snap && live.snap.mutes) || [],
    total: () => (live.snap && live.snap.mutes_total) || 0,
  },
  mounted() {
    this.away = () => (this.open = false);
    document.addEventListener("click", this.away);
    // Before the page's own keys: Escape closes what lies on top.
    document.addEventListener("keydown", this.key, true);
  },
  unmounted() {
    document.removeEventListener("click", this.away);
    document.removeEventListener("keydown", this.key, true);
  },
  methods: {
    t, tn, number, endWords, muteTrouble, mutePlace,
    key(event) {
      if (!this.open || event.key !== "Escape" || document.querySelector(".w-scrim")) return;
      event.stopPropagation();
      this.open = false;
      this.$refs.opener.focus();
    },
    fresh() {
      this.open = false;
      openMute({ platform: live.platform, account: live.account });
    },
    async end(mute) {
      this.busy = mute.id;
      await lift(mute);
      this.busy = "";
    },
  },
};
