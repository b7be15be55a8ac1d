// Row A: the numbers in the order in which they need somebody. Each one opens the rows behind it.
import { WAgo, WIcon, WSpark, age, compact, duration, isNumber, live, number, rangeStart, t, tn, toAnomalies } from "weir-core";

const OUTBOUND = "outbound";
const [WORTH_TELLING_MS, WARN_MS, CRITICAL_MS] = [1000, 30_000, 120_000];

// What is muted is counted like the rest; it gives no reason to hurry.
const loud = (figure) => figure.value - (figure.muted || 0);
const muted = (figure) => (figure.muted ? tn("tile.muted", figure.muted) : "");

export default {
  components: { WAgo, WIcon, WSpark },
  template: `
    <section class="w-card tiles" :class="{ 'is-dead': live.snap && !live.sound }" :aria-label="t('tiles.label')">
      <ol class="tiles-row">
        <li v-for="tile in tiles" :key="tile.id" class="tile" :class="'is-' + tile.tone">
          <component :is="tile.to ? 'a' : 'div'" class="tile-in" :href="tile.to">
            <span class="tile-label"><i v-if="tile.dot" class="dot"></i>{{ t("tile." + tile.id) }}</span>
            <span class="tile-line"><b class="tile-value w-num">{{ dead ? t("state.no_data") : tile.value }}</b><span class="tile-side w-num">{{ dead ? "" : tile.side }}</span></span>
            <span class="tile-trend"><span v-if="tile.note && !dead" class="tile-note">{{ tile.note }}</span><w-spark v-if="tile.spark && tile.spark.length > 1" :values="dead ? [] : tile.spark" :tone="tile.spark_tone" /></span>
          </component>
        </li>
      </ol>
      <div class="tiles-foot">
        <a v-for="item in small" :key="item.id" class="small" :href="item.to"><w-icon :name="item.icon" /><b class="w-num" :class="{ 'is-on': item.value && !dead }">{{ dead ? "–" : number(item.value) }}</b>{{ t("tile." + item.id) }}</a>
        <span class="small small-ledger" :title="t('ledger.help')"><w-icon name="scroll-text" /><span v-if="ledger" class="w-num">{{ ledger }}</span></span>
        <span class="small small-age" :class="{ 'is-off': !live.sound || !covered }"><w-icon name="radio-tower" /><span class="w-num">{{ checked }}</span></span>
      </div>
    </section>`,
  data: () => ({ live }),
  computed: {
    dead: () => live.mode === "no_data",
    found: () => (live.snap ? live.snap.tiles : null),
    covered: () => Boolean(live.snap) && live.snap.monitor.channels_checked >= live.snap.monitor.channels_bound,
    checked() {
      if (!live.snap) return t("loading");
      const monitor = live.snap.monitor;
      return t("tile.monitor_age", { age: age(live.now - monitor.checked_at), checked: monitor.channels_checked, bound: monitor.channels_bound });
    },
    ledger() {
      if (!live.snap) return "";
      const sums = live.snap.ledger;
      const values = Object.fromEntries(["accepted", "stored", "duplicates", "rejected"].map((name) => [name, number(sums[name])]));
      return t(sums.balanced ? "ledger.balanced" : "ledger.open", values);
    },
    tiles() {
      const found = this.found;
      const now = Math.floor(live.now / 1000) * 1000;
      const since = (at) => (at ? t("tile.oldest", { age: age(now - at) }) : "");
      if (!found) return ["at_risk", "oldest_wait", "e2e", "lost", "failed_out", "unreached"].map((id) => ({ id, value: "–", tone: "calm" }));
      const week = this.week(found.e2e);
      const unresolved = { status: "unresolved" };
      return [
        this.tile("at_risk", number(found.at_risk.value), since(found.at_risk.oldest_at), loud(found.at_risk), "red", { note: muted(found.at_risk), to: toAnomalies(unresolved), spark: found.at_risk.spark, spark_tone: loud(found.at_risk) ? "red" : "accent" }),
        this.wait(found.oldest_wait),
        { id: "e2e", value: duration(found.e2e.p95_ms), side: t("tile.p50", { value: duration(found.e2e.p50_ms) }), tone: week.tone, note: week.text, spark: found.e2e.spark, spark_tone: week.tone === "amber" ? "amber" : "accent", dot: week.tone === "amber" },
        this.tile("lost", number(found.lost.confirmed), t("tile.lost.side", { suspected: number(found.lost.suspected) }), found.lost.confirmed + found.lost.suspected, found.lost.confirmed ? "red" : "amber", { to: toAnomalies({ kind: "loss", cause: "inbound", ...unresolved }), note: t("tile.lost.fixed", { n: number(found.lost.fixed) }) }),
        this.tile("failed_out", number(found.failed_out.value), since(found.failed_out.oldest_at), loud(found.failed_out), "red", { to: toAnomalies({ kind: "loss", cause: OUTBOUND, ...unresolved }), note: muted(found.failed_out) || t("tile.failed_out.note") }),
        this.tile("unreached", number(found.unreached.value), since(found.unreached.oldest_at), loud(found.unreached), "amber", { to: toAnomalies({ kind: "notification_missed", ...unresolved }), note: muted(found.unreached) || t("tile.unreached.note") }),
      ];
    },
    small() {
      const found = this.found || {};
      return [
        ["attachments", "paperclip", "attachment_failed", "unresolved"],
        ["translations", "languages", "translation_failed", "unresolved"],
        ["duplicates", "copy-x", "duplicate", ""],
      ].map(([id, icon, kind, status]) => ({ id, icon, value: (found[id] || {}).value, to: toAnomalies(status ? { kind, status } : { kind, since: rangeStart() }) }));
    },
  },
  methods: {
    t, tn, number, compact,
    tile(id, value, side, on, tone, more) {
      return { id, value, side, tone: on ? tone : "calm", dot: Boolean(on), ...more };
    },
    // What takes less than a second is the ordinary way through, and would only flicker.
    wait({ ms, hop }) {
      const calm = ms < WORTH_TELLING_MS;
      const more = { note: t(calm ? "tile.oldest_wait.calm" : "tile.oldest_wait.note") };
      return this.tile("oldest_wait", calm ? t("tile.none") : duration(ms), calm ? "" : t(`hop.${hop}`), ms > WARN_MS, ms > CRITICAL_MS ? "red" : "amber", more);
    },
    // The same hour last week says whether slow is unusual.
    week({ p95_ms: now, p95_last_week_ms: before }) {
      if (!isNumber(now) || !isNumber(before) || !before) return { tone: "calm", text: t("tile.week.none") };
      const change = Math.round((now / before - 1) * 100);
      const text = t(change > 0 ? "tile.week.more" : "tile.week.less", { change: Math.abs(change), before: duration(before) });
      return { tone: change > 50 ? "amber" : "calm", text };
    },
  },
};
