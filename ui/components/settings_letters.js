// Dead letters: log entries that could not be applied, with the reason and their bytes as masked text; and what was refused.
import { WIcon, ask, can, moment, number, send, t, toast } from "weir-core";
import { AreYouSure, SettingsHead } from "weir-admin";

const PAGE = 50;

export default {
  components: { AreYouSure, SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="letters" />
      <section class="w-card" :aria-label="t('settings.letters')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("letters.title") }}</h2>
          <div class="w-seg" role="group" :aria-label="t('letters.filter')"><button v-for="name in ['open', 'all', 'refused']" :key="name" type="button" :aria-pressed="tab === name" @click="tab = name">{{ t("letters." + name) }}</button></div></div>
        <p class="w-card-body w-sub">{{ t(tab === "refused" ? "letters.refused_text" : "letters.text") }}</p>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <ul v-if="shown.length" class="set-letters">
          <li v-for="letter in shown" :key="letter.id" :class="{ 'is-off': letter.resolved_at }">
            <div class="set-letter-head"><b class="set-break"><bdi>{{ letter.reason }}</bdi></b><span v-if="letter.resolved_at" class="w-pill">{{ t("letters.done", { at: moment(letter.resolved_at) }) }}</span></div>
            <p class="w-meta"><span class="w-num">{{ moment(letter.at) }}</span> · <span class="w-mono">{{ letter.id }}</span><template v-if="letter.channel || letter.platform"> · <bdi class="set-break">{{ letter.channel || [letter.platform, letter.account].filter(Boolean).join("/") }}</bdi></template> · {{ t("letters.bytes", { n: number(letter.size) }) }}</p>
            <details><summary>{{ t("letters.raw") }}</summary><pre class="w-mono"><bdi>{{ letter.raw }}</bdi></pre></details>
            <div v-if="may && tab !== 'refused' && !letter.resolved_at" class="set-acts"><button class="w-btn" type="button" :disabled="busy" @click="act(letter, 'retry')"><w-icon name="refresh-cw" />{{ t("letters.retry") }}</button><button class="w-btn is-quiet" type="button" :disabled="busy" @click="asked = letter">{{ t("letters.dismiss") }}</button></div>
          </li>
        </ul>
        <p v-else-if="tab === 'refused' && refused" class="w-empty"><w-icon name="circle-check" /><b>{{ t("letters.none_refused") }}</b></p>
        <p v-else-if="tab !== 'refused' && letters" class="w-empty"><w-icon name="circle-check" /><b>{{ t("letters.none") }}</b><span>{{ t("letters.none_text") }}</span></p>
        <p v-else-if="!trouble" class="w-empty">{{ t("loading") }}</p>
        <p v-if="tab === 'refused' && since" class="w-card-body w-meta">{{ t("letters.since", { at: moment(since) }) }}</p>
        <div v-if="next && tab !== 'refused'" class="set-more"><button class="w-btn" type="button" :disabled="busy" @click="load(true)">{{ t("settings.more") }}</button></div>
      </section>
      <are-you-sure v-if="asked" :title="t('letters.sure')" :text="t('letters.sure_text')" :act="t('letters.dismiss')" @yes="dismiss" @no="asked = null" />
    </div>`,
  data: () => ({ letters: null, next: null, tab: "open", refused: null, since: null, trouble: "", busy: false, asked: null, may: can("resolve_dead_letters") }),
  computed: {
    shown() {
      if (this.tab === "refused") return this.refused || [];
      return (this.letters || []).filter((letter) => this.tab === "all" || !letter.resolved_at);
    },
  },
  watch: {
    tab(name) {
      if (name === "refused") this.loadRefused();
    },
  },
  mounted() {
    this.load();
  },
  methods: {
    t, number,
    moment: (at) => moment(Date.parse(at)),
    async load(more = false) {
      this.busy = true;
      try {
        const query = new URLSearchParams({ limit: PAGE, ...(more ? { cursor: this.next } : {}) });
        const found = await ask(`/dead-letters?${query}`);
        Object.assign(this, { letters: more ? [...this.letters, ...found.items] : found.items, next: found.next, trouble: "" });
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
    async loadRefused() {
      try {
        const found = await ask(`/refusals?limit=${PAGE}`);
        Object.assign(this, { refused: found.items, since: found.searched_since, trouble: "" });
      } catch (error) {
        this.trouble = error.message;
      }
    },
    dismiss() {
      const letter = this.asked;
      this.asked = null;
      this.act(letter, "resolve");
    },
    async act(letter, name) {
      Object.assign(this, { busy: true, trouble: "" });
      try {
        const changed = await send("POST", `/dead-letters/${letter.id}/${name}`);
        this.letters = this.letters.map((one) => (one.id === changed.id ? changed : one));
        toast(t(name === "retry" ? "letters.retried" : "letters.dismissed"));
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
  },
};
