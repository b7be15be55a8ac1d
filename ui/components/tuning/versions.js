// Every version of the thresholds: who, when, what changed; back to any of them with one click and a look at what that changes.
import { WIcon, moment, t } from "weir-core";
import { difference, label, scopeName, shown } from "./scale.js";

const FEW = 3;
const FIRST = 8;

export const TuningVersions = {
  name: "TuningVersions",
  components: { WIcon },
  props: { specs: Array, versions: Array, current: Object, may: Boolean, busy: Boolean },
  emits: ["activate", "open"],
  template: `
    <section class="w-card tun-versions" :aria-label="t('tuning.versions')">
      <div class="w-card-head"><h2 class="w-h2">{{ t("tuning.versions") }}</h2></div>
      <div v-if="rows.length" class="w-scroll-x"><table class="w-table">
        <thead><tr><th scope="col" class="r">{{ t("tuning.version") }}</th><th scope="col">{{ t("tuning.when") }}</th><th scope="col">{{ t("tuning.who") }}</th><th scope="col">{{ t("tuning.changes") }}</th><th scope="col"><span class="w-sr">{{ t("tuning.actions") }}</span></th></tr></thead>
        <tbody><tr v-for="row in visible" :key="row.version">
          <td class="r"><b>{{ row.version }}</b></td>
          <td class="w-num tun-when">{{ moment(row.at) }}</td>
          <td class="tun-who"><bdi>{{ row.who }}</bdi></td>
          <td><ul class="tun-diff"><li v-for="one in row.few" :key="one.scope + one.name"><span>{{ scopeName(one.scope) }} · {{ label(one.name) }}</span> <s>{{ say(one, one.old) }}</s> → <b>{{ say(one, one.value) }}</b></li><li v-if="row.more" class="w-meta">{{ t("tuning.and_more", { n: row.more }) }}</li><li v-if="!row.few.length" class="w-meta">{{ t("tuning.no_change") }}</li></ul><p v-if="row.note" class="tun-note"><bdi>{{ row.note }}</bdi></p></td>
          <td class="r tun-acts">
            <span v-if="row.version === current.version" class="w-pill is-green">{{ t("tuning.in_force") }}</span>
            <template v-else><span v-if="row.draft" class="w-pill is-violet">{{ t("tuning.draft") }}</span>
              <button v-if="row.draft" class="w-btn is-quiet" type="button" @click="$emit('open', row)">{{ t("tuning.open") }}</button>
              <button v-if="may" class="w-btn" type="button" :disabled="busy" @click="asked = row"><w-icon :name="row.draft ? 'check' : 'undo-2'" />{{ t(row.draft ? "tuning.activate" : "tuning.roll_back") }}</button></template>
          </td>
        </tr></tbody>
      </table></div>
      <p v-else class="w-empty">{{ t("tuning.no_versions") }}</p>
      <div v-if="rows.length > visible.length" class="tun-all"><button class="w-btn is-quiet" type="button" @click="all = true">{{ t("tuning.all_versions", { n: rows.length }) }}</button></div>
      <div v-if="asked" class="w-scrim" @click.self="asked = null" @keydown.esc="asked = null">
        <form class="w-dialog" role="dialog" aria-modal="true" :aria-label="t('tuning.back_to', { n: asked.version })" @submit.prevent="go">
          <h2 class="w-h2">{{ t("tuning.back_to", { n: asked.version }) }}</h2>
          <p class="w-sub">{{ t(leading.length ? "tuning.back_changes" : "tuning.back_nothing") }}</p>
          <ul class="tun-diff"><li v-for="one in leading" :key="one.scope + one.name"><span>{{ scopeName(one.scope) }} · {{ label(one.name) }}</span> <s>{{ say(one, one.old) }}</s> → <b>{{ say(one, one.value) }}</b></li></ul>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="asked = null">{{ t("cancel") }}</button><button ref="go" class="w-btn is-primary" type="submit">{{ t("tuning.activate") }}</button></div>
        </form>
      </div>
    </section>`,
  data: () => ({ asked: null, all: false }),
  computed: {
    rows() {
      return this.versions.map((version, index) => {
        const before = this.versions.slice(index + 1).find((older) => !older.draft);
        const found = difference(before ? before.overrides : {}, version.overrides);
        return { ...version, at: Date.parse(version.at), few: found.slice(0, FEW), more: Math.max(0, found.length - FEW) };
      });
    },
    visible() {
      return this.all ? this.rows : this.rows.slice(0, FIRST);
    },
    leading() {
      return this.asked ? difference(this.current.overrides, this.asked.overrides) : [];
    },
  },
  watch: {
    asked(row) {
      if (row) this.$nextTick(() => this.$refs.go.focus());
    },
  },
  methods: {
    t, moment, label, scopeName,
    say(one, value) {
      return shown(this.specs.find((spec) => spec.name === one.name) || { unit: "languages", default: "" }, value, one.scope);
    },
    go() {
      this.$emit("activate", this.asked.version);
      this.asked = null;
    },
  },
};
