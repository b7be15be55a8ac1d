// How I want to be told of messages: on the screen, by sound, in quiet hours, beside the screen; whether it works; whom it reaches.
import { WIcon, ask, can, dayMinute, number, platformName, send, splitKey, t, tell, tn } from "weir-core";
import { SettingsHead } from "weir-admin";
import { alerts, askPermission, ring } from "weir-inbox";

const KINDS = ["email", "webhook"];
const LISTED = 20;
const REASONS = ["permission_denied", "permission_not_asked", "unsupported", "display_failed", "no_sound", "muted_by_user", "quiet_hours", "role_excludes", "nobody_online", "nobody"];
const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
const written = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

export default {
  components: { SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="alerts" />
      <p v-if="trouble" class="w-banner" role="alert"><w-icon name="circle-alert" />{{ trouble }}</p>
      <div v-if="wishes" class="set-columns">
        <section class="w-card" :aria-label="t('alerts.screen')"><div class="w-card-head"><h2 class="w-h2">{{ t("alerts.screen") }}</h2><span class="w-pill" :class="{ granted: 'is-green', denied: 'is-red' }[alerts.allowed] || 'is-amber'">{{ t("alerts.permission." + alerts.allowed) }}</span></div>
          <div class="w-card-body set-form">
            <p v-if="alerts.allowed !== 'granted'" class="w-sub">{{ t("alerts.permission_text." + alerts.allowed) }}</p>
            <div v-if="alerts.allowed === 'default'"><button class="w-btn is-primary" type="button" @click="allow"><w-icon name="bell" />{{ t("inbox.alert.allow") }}</button></div>
            <label class="set-line"><span>{{ t("alerts.desktop") }}</span><input type="checkbox" role="switch" class="al-switch" :checked="wishes.desktop" @change="wish({ desktop: $event.target.checked })"></label>
            <label class="set-line"><span>{{ t("alerts.sound") }}</span><input type="checkbox" role="switch" class="al-switch" :checked="wishes.sound" @change="wish({ sound: $event.target.checked })"></label>
            <p class="w-meta">{{ t("alerts.who") }}</p>
          </div></section>
        <section class="w-card" :aria-label="t('alerts.test')"><div class="w-card-head"><h2 class="w-h2">{{ t("alerts.test") }}</h2><button class="w-btn is-primary" type="button" :disabled="testing" @click="test"><w-icon name="bell" />{{ t("alerts.test_act") }}</button></div>
          <div class="w-card-body set-form"><p class="w-sub">{{ t("alerts.test_text") }}</p>
            <ol v-if="rungs" class="al-rungs" aria-live="polite"><li v-for="rung in rungs" :key="rung.name" :class="'is-' + rung.status"><w-icon :name="{ sent: 'circle-check', failed: 'circle-x', none: 'circle-dashed' }[rung.status]" /><span><b>{{ rung.name }}</b><span class="w-sub">{{ rung.text }}</span></span></li></ol></div></section>
        <section class="w-card" :aria-label="t('alerts.quiet')"><div class="w-card-head"><h2 class="w-h2">{{ t("alerts.quiet") }}</h2></div>
          <form class="w-card-body set-form" @submit.prevent="quieten"><p class="w-sub">{{ t("alerts.quiet_text") }}</p>
            <div class="al-hours"><label class="set-label">{{ t("alerts.from") }}<span class="w-field"><input v-model="from" type="time" required></span></label><label class="set-label">{{ t("alerts.to") }}<span class="w-field"><input v-model="to" type="time" required></span></label></div>
            <p class="w-meta">{{ t("alerts.zone", { zone }) }}</p>
            <div class="al-acts"><button class="w-btn" type="submit">{{ t("alerts.quiet_set") }}</button><button v-if="wishes.quiet" class="w-btn is-danger" type="button" @click="wish({ quiet: null })">{{ t("alerts.quiet_end") }}</button></div></form></section>
        <section class="w-card" :aria-label="t('alerts.muted')"><div class="w-card-head"><h2 class="w-h2">{{ t("alerts.muted") }}</h2></div>
          <div class="w-card-body set-form"><p class="w-sub">{{ t("alerts.muted_text") }}</p>
            <ul class="al-channels"><li v-for="key in channels" :key="key"><label class="set-line"><span class="set-break">{{ nameOf(key) }}</span><input type="checkbox" role="switch" class="al-switch" :checked="!wishes.muted.includes(key)" :aria-label="t('alerts.ring_for', { channel: nameOf(key) })" @change="mute(key, !$event.target.checked)"></label></li></ul>
            <p v-if="!channels.length" class="w-meta">{{ t("alerts.no_channels") }}</p></div></section>
        <section class="w-card" :aria-label="t('alerts.ways')"><div class="w-card-head"><h2 class="w-h2">{{ t("alerts.ways") }}</h2></div>
          <div class="w-card-body set-form"><p class="w-sub">{{ t("alerts.ways_text") }}</p>
            <ul v-if="wishes.ways.length" class="al-ways"><li v-for="way in wishes.ways" :key="way.id" :class="{ 'is-dead': way.ended_at }"><w-icon :name="way.kind === 'email' ? 'mail' : 'plug'" /><span class="set-break"><b>{{ way.address }}</b><span v-if="way.ended_at" class="set-trouble">{{ t("alerts.dead", { reason: way.reason }) }}</span></span><button class="w-btn is-quiet is-icon" type="button" :aria-label="t('alerts.drop', { address: way.address })" :title="t('alerts.drop', { address: way.address })" @click="drop(way)"><w-icon name="trash-2" /></button></li></ul>
            <form class="al-add" @submit.prevent="add"><label class="w-sr" for="al-kind">{{ t("alerts.kind") }}</label><span class="w-field al-kind"><select id="al-kind" v-model="kind"><option v-for="one in KINDS" :key="one" :value="one">{{ t("alerts.kind." + one) }}</option></select><w-icon name="chevron-down" /></span><span class="w-field"><input v-model="address" required maxlength="500" autocomplete="off" :type="kind === 'email' ? 'email' : 'url'" :aria-label="t('alerts.kind.' + kind)" :placeholder="t('alerts.like.' + kind)"></span><button class="w-btn" type="submit">{{ t("alerts.add") }}</button></form>
            <p v-if="wrong" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ wrong }}</span></p></div></section>
        <section v-if="reach" class="w-card" :aria-label="t('alerts.reach')"><div class="w-card-head"><h2 class="w-h2">{{ t("alerts.reach") }}</h2><span class="w-meta">{{ t("alerts.reach_span") }}</span></div>
          <div v-if="reach.length" class="w-scroll-x" tabindex="0" role="group" :aria-label="t('alerts.reach')"><table class="w-table set-table"><thead><tr><th scope="col">{{ t("users.name") }}</th><th scope="col" class="r">{{ t("alerts.expected") }}</th><th scope="col" class="r">{{ t("alerts.rang") }}</th><th scope="col" class="r">{{ t("alerts.not") }}</th><th scope="col" class="r">{{ t("alerts.rate") }}</th></tr></thead>
            <tbody><tr v-for="row in reach" :key="row.person"><td><b><bdi>{{ row.person || t("alerts.nobody") }}</bdi></b></td><td class="r">{{ number(row.all) }}</td><td class="r">{{ number(row.told) }}</td><td class="r">{{ number(row.all - row.told) }}</td><td class="r"><span class="w-pill" :class="row.reach >= 0.95 ? 'is-green' : row.reach >= 0.8 ? 'is-amber' : 'is-red'">{{ Math.round(row.reach * 100) }} %</span></td></tr></tbody></table></div>
          <p v-else class="w-empty">{{ t("alerts.reach_none") }}</p></section>
      </div>
      <section v-if="wishes" class="w-card" :aria-label="t('alerts.log')"><div class="w-card-head"><h2 class="w-h2">{{ t("alerts.log") }}</h2><button class="w-btn is-quiet is-icon" type="button" :aria-label="t('error.retry')" @click="load"><w-icon name="refresh-cw" /></button></div>
        <ul v-if="log.length" class="al-log"><li v-for="row in log" :key="row.id"><span class="w-pill" :class="{ seen: 'is-green', fired: 'is-green', failed: 'is-red', excluded: '', expected: 'is-amber' }[row.fate]">{{ t("alerts.fate." + row.fate) }}</span><span class="set-break"><a v-if="row.key" class="w-link" :href="'/inbox?tab=all&key=' + encodeURIComponent(row.key)">{{ splitKey(row.key).at(-1) }}</a><template v-else>{{ t("alerts.test") }}</template> <span class="w-sub">{{ told(row) }}</span></span><span class="w-meta w-num">{{ dayMinute(Date.parse(row.at)) }}</span></li></ul>
        <p v-else class="w-empty"><w-icon name="bell" /><b>{{ t("alerts.log_none") }}</b></p></section>
      <p v-if="!wishes && !trouble" class="w-empty">{{ t("loading") }}</p>
    </div>`,
  data: () => ({ KINDS, alerts, wishes: null, trouble: "", wrong: "", kind: "email", address: "", from: "22:00", to: "07:00", known: [], rungs: null, testing: false, log: [], reach: null, zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" }),
  computed: {
    channels() {
      return [...new Set([...this.known, ...(this.wishes ? this.wishes.muted : [])])].sort();
    },
  },
  mounted() {
    this.load();
  },
  methods: {
    t, tn, number, dayMinute, splitKey,
    nameOf: (key) => `${platformName(splitKey(key)[0])} · ${splitKey(key)[1]}`,
    async load() {
      try {
        this.took(await ask("/alerts/settings"));
        this.log = (await ask(`/alerts?limit=${LISTED}`)).items;
        this.known = (await ask("/monitor?range=15m")).channels.map((row) => row.key || `${row.platform}/${row.account}`);
        if (can("view_audit")) this.reach = (await ask("/alerts/reach?hours=24")).items.map((row) => ({ ...row, all: Object.values(row.fates).reduce((sum, count) => sum + count, 0), told: (row.fates.fired || 0) + (row.fates.seen || 0) }));
        this.trouble = "";
      } catch (error) {
        this.trouble = error.message;
      }
    },
    took(wishes) {
      this.wishes = wishes;
      if (wishes.quiet) Object.assign(this, { from: written(wishes.quiet.start), to: written(wishes.quiet.end) });
    },
    async wish(change) {
      try {
        this.took(await send("PATCH", "/alerts/settings", change));
        this.trouble = "";
      } catch (error) {
        this.trouble = error.message;
      }
    },
    quieten() {
      return this.wish({ quiet: { start: minutes(this.from), end: minutes(this.to), zone: this.zone } });
    },
    mute(key, on) {
      return this.wish({ muted: on ? [...this.wishes.muted, key] : this.wishes.muted.filter((one) => one !== key) });
    },
    async add() {
      this.wrong = "";
      try {
        this.took(await tell("/alerts/ways", { kind: this.kind, address: this.address }));
        this.address = "";
      } catch (error) {
        this.wrong = error.message;
      }
    },
    async drop(way) {
      try {
        this.took(await send("DELETE", `/alerts/ways/${way.id}`));
      } catch (error) {
        this.wrong = error.message;
      }
    },
    async allow() {
      await askPermission();
    },
    why: (reason) => (REASONS.includes(reason) ? t(`alerts.reason.${reason}`) : reason || ""),
    told(row) {
      if (row.fate === "fired" || row.fate === "seen") {
        const after = Date.parse(row.fired_at || row.seen_at) - Date.parse(row.at);
        return t("alerts.after", { s: number(Math.max(0, Math.round(after / 1000))) });
      }
      return this.why(row.reason);
    },
    // The whole chain, as it would be with something urgent: the screen, then the addresses, each with what became of it.
    async test() {
      this.testing = true;
      this.rungs = null;
      try {
        await askPermission();
        const { alert, rungs } = await tell("/alerts/test");
        const { ways, reason } = await ring([alert]);
        const screen = (way, label) => ({ name: t(label), status: ways.includes(way) ? "sent" : (way === "desktop" ? alert.desktop : alert.sound) ? "failed" : "none", text: ways.includes(way) ? t("alerts.rang_now") : this.why((way === "desktop" ? alert.desktop : alert.sound) ? (way === "sound" ? "no_sound" : reason || "display_failed") : "muted_by_user") });
        this.rungs = [screen("desktop", "alerts.desktop"), screen("sound", "alerts.sound"), ...rungs.map((rung) => ({ name: rung.whom, status: rung.status, text: rung.status === "sent" ? t("alerts.taken") : rung.detail }))];
        if (!rungs.length) this.rungs.push({ name: t("alerts.ways"), status: "none", text: t("alerts.no_ways") });
        this.rungs.push({ name: t("alerts.above"), status: "none", text: t("alerts.above_text") });
        await this.load();
      } catch (error) {
        this.trouble = error.message;
      } finally {
        this.testing = false;
      }
    },
  },
};
