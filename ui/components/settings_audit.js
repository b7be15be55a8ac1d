// The log of changes: who changed what, when, from what to what. Everything in it is shown as text.
import { WIcon, ask, keepInAddress, moment, t } from "weir-core";
import { SettingsHead, sides } from "weir-admin";

const SORTS = ["thresholds.", "channel.", "user.", "token.", "login", "anomaly.", "incident.", "mute.", "dead_letter."];
const PAGE = 50;
const CALM_MS = 300;

export default {
  components: { SettingsHead, WIcon },
  props: { query: Object },
  template: `
    <div class="set"><settings-head here="audit" />
      <section class="w-card" :aria-label="t('settings.audit')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("audit.title") }}</h2>
          <label class="w-field set-pick"><span class="w-sr">{{ t("audit.sort") }}</span><select v-model="what"><option value="">{{ t("audit.all") }}</option><option v-for="sort in SORTS" :key="sort" :value="sort">{{ t("audit.sort." + sort.replace(".", "")) }}</option></select><w-icon name="chevron-down" /></label>
          <label class="w-field set-find"><w-icon name="user" /><input v-model="who" type="search" :placeholder="t('audit.who_find')" :aria-label="t('audit.who_find')" maxlength="300"></label>
          <label class="w-field set-find"><w-icon name="search" /><input v-model="subject" type="search" :placeholder="t('audit.subject_find')" :aria-label="t('audit.subject_find')" maxlength="300"></label></div>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <ol v-if="rows.length" class="set-log" :aria-busy="busy">
          <li v-for="row in rows" :key="row.id">
            <div class="set-log-line"><time class="w-num set-quiet">{{ moment(row.at) }}</time><button type="button" class="w-link set-break" :title="t('audit.only_who')" @click="who = row.who"><bdi>{{ row.who }}</bdi></button><b>{{ words(row.what) }}</b><button type="button" class="set-subject set-break" :title="t('audit.only_subject')" @click="subject = row.subject"><bdi>{{ row.subject }}</bdi></button></div>
            <table v-if="row.sides.length" class="set-sides"><thead class="w-sr"><tr><th>{{ t("audit.field") }}</th><th>{{ t("audit.before") }}</th><th>{{ t("audit.after") }}</th></tr></thead>
              <tbody><tr v-for="side in row.sides" :key="side.name" :class="{ 'is-same': side.same }"><th scope="row">{{ side.name }}</th><td><s v-if="side.before && !side.same"><bdi>{{ side.before }}</bdi></s><bdi v-else>{{ side.before }}</bdi></td><td><span aria-hidden="true" class="set-arrow">→</span><bdi>{{ side.after }}</bdi></td></tr></tbody></table>
          </li>
        </ol>
        <p v-else-if="!busy && !trouble" class="w-empty"><w-icon name="scroll-text" /><b>{{ t("audit.none") }}</b></p>
        <p v-else-if="busy" class="w-empty">{{ t("loading") }}</p>
        <div v-if="next" class="set-more"><button class="w-btn" type="button" :disabled="busy" @click="load(true)">{{ t("settings.more") }}</button></div>
      </section>
    </div>`,
  data() {
    const { what = "", who = "", subject = "" } = this.query;
    return { SORTS, what, who, subject, rows: [], next: null, busy: true, trouble: "" };
  },
  watch: { what: "soon", who: "soon", subject: "soon" },
  mounted() {
    this.load();
  },
  unmounted() {
    clearTimeout(this.later);
    if (this.asking) this.asking.abort();
  },
  methods: {
    t,
    moment: (at) => moment(Date.parse(at)),
    words(what) {
      const key = `audit.what.${what}`;
      const text = t(key);
      return text === key ? what : text;
    },
    soon() {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.load(), CALM_MS);
    },
    filters() {
      const wanted = { what: this.what, who: this.who.trim(), subject: this.subject.trim() };
      return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value));
    },
    async load(more = false) {
      if (this.asking) this.asking.abort();
      const mine = (this.asking = new AbortController());
      const query = new URLSearchParams({ limit: PAGE, ...this.filters(), ...(more ? { cursor: this.next } : {}) });
      Object.assign(this, { busy: true, trouble: "" });
      keepInAddress(this.filters());
      try {
        const found = await ask(`/audit?${query}`, mine.signal);
        const rows = found.items.map((row) => ({ ...row, sides: sides(row.before, row.after) }));
        Object.assign(this, { rows: more ? [...this.rows, ...rows] : rows, next: found.next });
      } catch (error) {
        if (error.name === "AbortError") return;
        this.trouble = error.message;
      }
      this.busy = false;
    },
  },
};
