// How this conversation's messages fared: troubles with their traces, delays, how far the last ones came.
import { DASH, WIcon, dayMinute, duration, splitKey, t, tn, toAnomalies, toMs, toTrace, troubleName } from "weir-core";

const GLYPHS = { critical: "■", warning: "▲", info: "●" };

export const HealthTab = {
  components: { WIcon },
  props: { health: Object, here: String },
  template: `
    <section class="ctx-block"><h3 class="ctx-title">{{ t("ctx.troubles") }}</h3>
      <ul v-if="health.anomalies.length" class="ctx-troubles"><li v-for="one in health.anomalies" :key="one.id" :class="'is-' + one.severity"><span class="inc-glyph" aria-hidden="true">{{ glyphs[one.severity] }}</span><span><b>{{ troubleName({ ...one, evidence: {} }) }}</b> <span class="w-meta w-num">{{ dayMinute(toMs(one.opened_at)) }}</span><a v-if="one.message" class="w-link ctx-trace" :href="toTrace(here, one.message)">{{ t("ctx.trace") }}</a></span><span class="w-pill" :class="one.status === 'resolved' ? 'is-green' : 'is-amber'">{{ t("status." + one.status) }}</span></li></ul>
      <p v-else class="ctx-fine"><w-icon name="circle-check" />{{ t("ctx.fine") }}</p>
      <a v-if="health.more_anomalies" class="w-link" :href="all">{{ t("ctx.more") }}</a></section>
    <section class="ctx-block"><h3 class="ctx-title">{{ t("ctx.delays") }}</h3>
      <dl class="ctx-facts"><div><dt>{{ t("ctx.delay.median") }}</dt><dd class="w-num">{{ health.delay_ms ? duration(health.delay_ms.median) : dash }}</dd></div><div><dt>{{ t("ctx.delay.most") }}</dt><dd class="w-num">{{ health.delay_ms ? duration(health.delay_ms.most) : dash }}</dd></div><div><dt>{{ t("ctx.copies") }}</dt><dd class="w-num">{{ health.copies }}</dd></div></dl></section>
    <section class="ctx-block"><h3 class="ctx-title">{{ t("ctx.last") }}</h3>
      <ol class="ctx-last"><li v-for="one in health.last" :key="one.message"><a class="w-link" :href="toTrace(here, one.message)"><span class="w-num">{{ dayMinute(toMs(one.sent_at)) }}</span> {{ t("thread." + one.direction) }}</a><span class="ctx-hops"><span v-for="hop in hopsOf(one)" :key="hop" class="w-pill" :class="{ 'is-red': hop === 'failed' }">{{ t("life." + hop) }}</span></span></li></ol></section>`,
  data: () => ({ glyphs: GLYPHS, dash: DASH }),
  computed: {
    all() {
      const [platform, account, conversation] = splitKey(this.here);
      return toAnomalies({ platform, account, conversation });
    },
  },
  methods: {
    t, tn, dayMinute, duration, toMs, toTrace, troubleName,
    hopsOf: (one) => Object.entries(one.hops).sort((a, b) => Date.parse(a[1]) - Date.parse(b[1])).map(([hop]) => hop),
  },
};
