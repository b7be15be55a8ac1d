// What the proposed values would have done to the stored events of the period, beside what was and what is.
import { DASH, WIcon, isNumber, number, t } from "weir-core";

const sum = (counts) => Object.values(counts || {}).reduce((total, count) => total + count, 0);

export const TuningEffect = {
  name: "TuningEffect",
  components: { WIcon },
  props: { effect: Object, busy: Boolean, error: String, kind: String, touched: Boolean },
  emits: ["retry"],
  template: `
    <section class="w-card tun-effect" :class="{ 'is-busy': busy }" :aria-label="t('tuning.effect')" :aria-busy="busy">
      <div class="w-card-head"><h2 class="w-h2">{{ t("tuning.effect") }}</h2><span v-if="busy" class="tun-spin" role="status"><span class="w-sr">{{ t("tuning.counting") }}</span></span></div>
      <div class="w-card-body">
        <div v-if="error" class="tun-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ error }}</span><button class="w-btn" type="button" @click="$emit('retry')">{{ t("error.retry") }}</button></div>
        <template v-else-if="effect">
          <p class="tun-big" aria-live="polite"><b class="w-num">{{ number(total.proposed) }}</b><span>{{ t(touched ? "tuning.would" : "tuning.would_now") }}</span></p>
          <p v-if="touched" class="w-sub tun-versus"><span class="w-pill" :class="tone">{{ versus }}</span></p>
          <div class="w-scroll-x"><table class="w-table tun-counts">
            <thead><tr><th scope="col">{{ t("tuning.kind") }}</th><th scope="col" class="r">{{ t("tuning.proposed") }}</th><th scope="col" class="r">{{ t("tuning.current") }}</th><th scope="col" class="r">{{ t("tuning.found") }}</th></tr></thead>
            <tbody><tr v-for="row in rows" :key="row.kind" :class="{ 'is-mine': row.kind === kind }"><th scope="row">{{ t("kind.short." + row.kind) }}</th><td class="r"><b :class="'is-' + row.tone">{{ number(row.proposed) }}</b></td><td class="r">{{ number(row.current) }}</td><td class="r">{{ row.found === null ? DASH : number(row.found) }}</td></tr></tbody>
          </table></div>
          <p class="w-meta">{{ note }}</p>
        </template>
        <p v-else class="tun-none">{{ t(busy ? "tuning.counting" : "tuning.no_effect") }}</p>
      </div>
    </section>`,
  data: () => ({ DASH }),
  computed: {
    total() {
      return { proposed: sum(this.effect.proposed), current: sum(this.effect.current) };
    },
    rows() {
      const { proposed, current, found } = this.effect;
      const counted = [proposed, current, found || {}].flatMap((counts) => Object.keys(counts).filter((kind) => counts[kind]));
      const kinds = [...new Set([this.kind, ...counted])];
      return kinds.map((kind) => {
        const [mine, now] = [proposed[kind] || 0, current[kind] || 0];
        return { kind, proposed: mine, current: now, found: found ? found[kind] || 0 : null, tone: mine > now ? "more" : mine < now ? "fewer" : "same" };
      });
    },
    difference() {
      return this.total.proposed - this.total.current;
    },
    tone() {
      return this.difference > 0 ? "is-amber" : this.difference < 0 ? "is-green" : "";
    },
    versus() {
      if (this.difference === 0) return t("tuning.same");
      return t(this.difference > 0 ? "tuning.more" : "tuning.fewer", { n: number(Math.abs(this.difference)) });
    },
    note() {
      const { events, partial } = this.effect;
      if (partial) return t("tuning.partial", { n: number(events) });
      return isNumber(events) ? t("tuning.replayed", { n: number(events) }) : t("tuning.same_code");
    },
  },
  methods: { t, number },
};
