// Channels bound to their platforms: what each platform wants to know, kept and never shown again.
import { WIcon, ask, platformName, send, t, tell, toast } from "weir-core";
import { AreYouSure, ChannelCard, CoverageNotes, SettingsHead, bindingPath } from "weir-admin";

const addressOf = (platform, account) => `${location.origin}/webhooks/${encodeURIComponent(platform)}/${encodeURIComponent(account)}`;
const EACH_MS = 15_000;
const DAY_MS = 86_400_000;
// Platforms without an interface for customers' messages; the way there is by mail, if any.
const UNBOUND = ["walmart", "temu", "wish"];

export default {
  components: { AreYouSure, ChannelCard, CoverageNotes, SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="channels" />
      <coverage-notes :gaps="gaps" />
      <section class="w-card" :aria-label="t('settings.channels')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("binding.title") }}</h2><button class="w-btn is-primary" type="button" :disabled="!platforms" @click="begin(null)"><w-icon name="plus" />{{ t("binding.add") }}</button></div>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <ul v-if="bindings && bindings.length" class="ch-list"><channel-card v-for="row in bindings" :key="bindingPath(row)" :row="row" :known="known(row.platform)" :busy="busy" @change="begin(row)" @remove="asked = row" @sweep="sweep(row)" /></ul>
        <p v-else-if="bindings" class="w-empty"><w-icon name="plug" /><b>{{ t("binding.none") }}</b><span>{{ t("binding.none_text") }}</span></p>
        <p v-else-if="!trouble" class="w-empty">{{ t("loading") }}</p>
      </section>
      <section class="w-card set-note" :aria-label="t('binding.others')"><h2 class="w-h2">{{ t("binding.others") }}</h2><p>{{ t("binding.others_api") }}</p>
        <dl class="set-unbound"><template v-for="one in UNBOUND" :key="one"><dt>{{ platformName(one) }}</dt><dd>{{ t("binding.unbound." + one) }}</dd></template></dl>
        <div class="set-acts"><button v-if="known('email')" class="w-btn" type="button" @click="begin(null, 'email')"><w-icon name="mail" />{{ t("binding.by_mail") }}</button></div></section>
      <div v-if="editing" class="w-scrim" @click.self="editing = null" @keydown.esc="editing = null">
        <form class="w-dialog set-binding" role="dialog" aria-modal="true" :aria-label="heading" autocomplete="off" @submit.prevent="save">
          <h2 class="w-h2 set-break">{{ heading }}</h2>
          <template v-if="!editing.old">
            <label class="set-label">{{ t("binding.platform") }}<span class="w-field"><select ref="first" v-model="editing.platform" @change="choose"><option v-for="one in platforms" :key="one.platform" :value="one.platform">{{ platformName(one.platform) }}</option></select><w-icon name="chevron-down" /></span></label>
            <label class="set-label">{{ t("binding.account") }}<span class="w-field"><input v-model="editing.account" required maxlength="200" autocomplete="off" spellcheck="false" :placeholder="t('binding.account_like')" @input="follow"></span><small>{{ t("binding.account_about") }}</small></label>
          </template>
          <label class="set-label">{{ t("binding.address") }}<span class="w-field"><input ref="address" v-model="editing.url" required inputmode="url" maxlength="2000" autocomplete="off" spellcheck="false" @input="editing.own = true"></span><small>{{ t("binding.address_about") }}</small></label>
          <label v-for="one in wanted.filter((one) => one.required)" :key="editing.platform + one.name" class="set-label"><span>{{ t("binding.name." + one.name) }}</span><span class="w-field"><input v-model="editing.values[one.name]" :aria-label="t('binding.name.' + one.name)" :type="one.secret ? 'password' : 'text'" :required="!isSet(one.name)" maxlength="8000" autocomplete="new-password" spellcheck="false" :placeholder="isSet(one.name) ? t('binding.kept') : ''"></span><small>{{ t("binding.about." + editing.platform + "." + one.name) }}</small></label>
          <details v-if="wanted.some((one) => !one.required)" class="set-further"><summary>{{ t("binding.further") }}</summary>
            <p v-if="known(editing.platform).oauth" class="set-why">{{ t("binding.granted_text") }}</p>
            <div v-for="one in wanted.filter((one) => !one.required)" :key="editing.platform + one.name" class="set-one"><label class="set-label"><span>{{ t("binding.name." + one.name) }} <em>{{ t("binding.optional") }}</em></span><span class="w-field"><input v-model="editing.values[one.name]" :aria-label="t('binding.name.' + one.name)" :type="one.secret ? 'password' : 'text'" :disabled="editing.unset.includes(one.name)" maxlength="8000" autocomplete="new-password" spellcheck="false" :placeholder="isSet(one.name) ? t('binding.kept') : ''"></span><small>{{ t("binding.about." + editing.platform + "." + one.name) }}</small></label><button v-if="isSet(one.name)" class="w-link set-unset" type="button" :aria-pressed="editing.unset.includes(one.name)" @click="takeAway(one.name)">{{ t(editing.unset.includes(one.name) ? "binding.keep" : "binding.take_away") }}</button></div>
          </details>
          <p v-if="editing.trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ editing.trouble }}</span></p>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="editing = null">{{ t("cancel") }}</button><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t(editing.old ? "binding.save" : "binding.bind") }}</button></div>
        </form>
      </div>
      <are-you-sure v-if="asked" :title="t('binding.sure', { name: nameOf(asked) })" :text="t('binding.sure_text')" :act="t('binding.remove')" danger @yes="remove" @no="asked = null" />
    </div>`,
  data: () => ({ UNBOUND, platforms: null, bindings: null, gaps: [], trouble: "", busy: false, editing: null, asked: null }),
  mounted() {
    this.load().then(this.welcome);
    this.timer = setInterval(() => document.hidden || this.busy || this.load(), EACH_MS);
  },
  beforeUnmount() {
    clearInterval(this.timer);
  },
  computed: {
    heading() {
      return this.editing.old ? t("binding.change_one", { name: this.nameOf(this.editing) }) : t("binding.add");
    },
    wanted() {
      return this.known(this.editing.platform).settings;
    },
  },
  methods: {
    t, platformName, bindingPath,
    nameOf: ({ platform, account }) => `${platformName(platform)} · ${account}`,
    known(platform) {
      return (this.platforms || []).find((one) => one.platform === platform);
    },
    isSet(name) {
      return Boolean(this.editing.old && [...this.editing.old.settings, ...this.editing.old.secrets].includes(name));
    },
    async load() {
      try {
        const [platforms, bindings, coverage] = await Promise.all([ask("/platforms"), ask("/bindings"), ask("/coverage")]);
        Object.assign(this, { platforms: platforms.items, bindings: bindings.items, gaps: coverage.items, trouble: "" });
      } catch (error) {
        this.trouble = error.message;
      }
    },
    // A browser that comes back from a platform; only what is bound here is named.
    welcome() {
      const place = new URL(location.href);
      const told = place.searchParams.get("authorised");
      if (!told) return;
      place.searchParams.delete("authorised");
      history.replaceState(history.state, "", place);
      const row = (this.bindings || []).find((one) => `${one.platform}/${one.account}` === told);
      if (row) toast(t("binding.authorised", { name: this.nameOf(row) }));
    },
    async sweep(row) {
      const path = `/sweeps/${encodeURIComponent(row.platform)}/${encodeURIComponent(row.account)}`;
      const until = Date.now();
      Object.assign(this, { busy: true, trouble: "" });
      try {
        const { resync } = await tell(path, { since: until - DAY_MS, until });
        if (resync.state === "failed") this.trouble = resync.reason || t("binding.sweep_failed");
        else toast(t(resync.state === "done" ? "binding.sweep_done" : "binding.sweep_begun", { name: this.nameOf(row), fresh: resync.new ?? 0 }));
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
    takeAway(name) {
      const { unset, values } = this.editing;
      if (unset.includes(name)) unset.splice(unset.indexOf(name), 1);
      else {
        unset.push(name);
        values[name] = "";
      }
    },
    begin(row, wanted) {
      const platform = row ? row.platform : wanted || this.platforms[0].platform;
      this.editing = { old: row, platform, account: row ? row.account : "", url: row ? row.url : addressOf(platform, ""), own: Boolean(row), values: {}, unset: [], trouble: "" };
      this.$nextTick(() => (row ? this.$refs.address : this.$refs.first).focus());
    },
    choose() {
      Object.assign(this.editing, { values: {}, unset: [] });
      this.follow();
    },
    // The address is made of platform and account until somebody writes another.
    follow() {
      if (!this.editing.own) this.editing.url = addressOf(this.editing.platform, this.editing.account.trim());
    },
    async save() {
      const editing = this.editing;
      const place = { platform: editing.platform, account: editing.account.trim() };
      const settings = Object.fromEntries(Object.entries(editing.values).filter(([, value]) => value !== ""));
      Object.assign(this, { busy: true, trouble: "" });
      try {
        await send("PUT", bindingPath(place), { url: editing.url.trim(), settings, unset: editing.unset });
        await this.load();
        this.editing = null;
        toast(t("binding.done", { name: this.nameOf(place) }));
      } catch (error) {
        editing.trouble = error.message;
      }
      this.busy = false;
    },
    async remove() {
      const row = this.asked;
      Object.assign(this, { asked: null, busy: true, trouble: "" });
      try {
        await send("DELETE", bindingPath(row));
        toast(t("binding.removed", { name: this.nameOf(row) }));
        await this.load();
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
  },
};
