// Every mute: those in force first, then what was.
import { WIcon, ask, can, dayMinute, lift, moment, muteTrouble, mutePlace, openMute, t, toMs } from "weir-core";

const REFRESH_MS = 5000;

export default {
  components: { WIcon },
  template: `
    <div class="page">
      <header class="page-head"><div><h1 class="w-h1">{{ t("nav.mutes") }}</h1><p class="w-sub">{{ t("mute.about") }}</p></div>
        <button v-if="may" class="w-btn is-primary" type="button" @click="openMute()"><w-icon name="bell-off" />{{ t("mute.new") }}</button></header>
      <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
      <section v-for="part in parts" :key="part.name" class="w-card" :aria-label="t('mute.' + part.name)">
        <div class="w-card-head"><h2 class="w-h2">{{ t("mute." + part.name) }}</h2></div>
        <div v-if="part.rows.length" class="w-scroll-x"><table class="w-table set-table mute-table">
          <thead><tr><th scope="col">{{ t("mute.trouble") }}</th><th scope="col">{{ t("mute.where") }}</th><th scope="col">{{ t("mute.reason") }}</th><th scope="col">{{ t("mute.by") }}</th><th scope="col">{{ t("mute.since") }}</th><th scope="col">{{ t("mute.until") }}</th><th v-if="part.lifts" scope="col"><span class="w-sr">{{ t("settings.actions") }}</span></th></tr></thead>
          <tbody><tr v-for="row in part.rows" :key="row.id">
            <td><b>{{ muteTrouble(row) }}</b></td>
            <td class="set-break" :data-label="t('mute.where')"><bdi>{{ mutePlace(row) }}</bdi></td>
            <td class="set-break mute-why" :data-label="t('mute.reason')"><bdi>{{ row.reason }}</bdi></td>
            <td class="set-break" :data-label="t('mute.by')"><bdi>{{ row.who }}</bdi></td>
            <td class="w-num set-quiet" :data-label="t('mute.since')" :title="moment(toMs(row.at))">{{ dayMinute(toMs(row.at)) }}</td>
            <td class="w-num set-quiet" :data-label="t('mute.until')" :title="moment(toMs(row.until))">{{ dayMinute(toMs(row.until)) }}<span v-if="row.ended_at" class="w-pill mute-early">{{ t("mute.early") }}</span></td>
            <td v-if="part.lifts" class="r set-acts"><button class="w-btn" type="button" :disabled="busy === row.id" @click="end(row)">{{ t("mute.lift") }}</button></td>
          </tr></tbody></table></div>
        <p v-else class="w-empty"><w-icon name="bell" /><b>{{ t(rows ? part.none : trouble ? "mute.unknown" : "loading") }}</b></p>
      </section>
    </div>`,
  data: () => ({ rows: null, trouble: "", busy: "", may: can("mute") }),
  computed: {
    parts() {
      const rows = this.rows || [];
      const past = rows.filter((row) => !row.in_force);
      const found = [{ name: "in_force", rows: rows.filter((row) => row.in_force), none: "mute.none", lifts: this.may }];
      return past.length ? [...found, { name: "past", rows: past, none: "mute.none", lifts: false }] : found;
    },
  },
  mounted() {
    window.addEventListener("weir-mutes", this.load);
    this.timer = setInterval(() => document.hidden || this.load(), REFRESH_MS);
    this.load();
  },
  unmounted() {
    clearInterval(this.timer);
    window.removeEventListener("weir-mutes", this.load);
  },
  methods: {
    t, dayMinute, moment, muteTrouble, mutePlace, openMute, toMs,
    async load() {
      try {
        this.rows = (await ask("/mutes?past=true&limit=200")).items;
        this.trouble = "";
      } catch (wrong) {
        this.trouble = wrong.message;
      }
    },
    async end(row) {
      this.busy = row.id;
      await lift(row);
      this.busy = "";
    },
  },
};
