// Channels bound to their platforms: what each platform wants to know, kept and never shown again.
import { WIcon, ask, dayMinute, moment, platformName, send, t, toast } from "weir-core";
import { AreYouSure, SettingsHead } from "weir-admin";

const addressOf = (platform, account) => `${location.origin}/webhooks/${encodeURIComponent(platform)}/${encodeURIComponent(account)}`;
const pathOf = ({ platform, account }) => `/bindings/${encodeURIComponent(platform)}/${encodeURIComponent(account)}`;

export default {
  components: { AreYouSure, SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="channels" />
      <section class="w-card" :aria-label="t('settings.channels')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("binding.title") }}</h2><button class="w-btn is-primary" type="button" :disabled="!platforms" @click="begin(null)"><w-icon name="plus" />{{ t("binding.add") }}</button></div>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <div v-if="bindings && bindings.length" class="w-scroll-x"><table class="w-table set-table">
          <thead><tr><th scope="col">{{ t("binding.channel") }}</th><th scope="col">{{ t("binding.address") }}</th><th scope="col">{{ t("binding.state") }}</th><th scope="col">{{ t("binding.changed") }}</th><th scope="col"><span class="w-sr">{{ t("settings.actions") }}</span></th></tr></thead>
          <tbody><tr v-for="row in bindings" :key="pathOf(row)">
            <td class="set-break"><b>{{ platformName(row.platform) }}</b><div class="w-meta"><bdi>{{ row.account }}</bdi></div></td>
            <td class="set-break" :data-label="t('binding.address')"><span class="w-mono set-address"><bdi>{{ row.url }}</bdi></span></td>
            <td class="set-break" :data-label="t('binding.state')"><span><span class="w-pill" :class="row.trouble || row.missing.length ? 'is-red' : 'is-green'">{{ t(row.trouble || row.missing.length ? "binding.broken" : "binding.bound") }}</span><span v-if="row.trouble" class="set-why">{{ row.trouble }}</span><span v-else-if="row.missing.length" class="set-why">{{ t("binding.missing", { names: row.missing.map((name) => t("binding.name." + name)).join(", ") }) }}</span></span></td>
            <td class="w-num set-quiet" :data-label="t('binding.changed')" :title="moment(Date.parse(row.changed_at))">{{ dayMinute(Date.parse(row.changed_at)) }}</td>
            <td class="r set-acts"><button class="w-btn" type="button" :disabled="busy || !known(row.platform)" @click="begin(row)"><w-icon name="pencil" />{{ t("binding.change") }}</button><button class="w-btn is-danger" type="button" :disabled="busy" @click="asked = row"><w-icon name="trash-2" />{{ t("binding.remove") }}</button></td>
          </tr></tbody>
        </table></div>
        <p v-else-if="bindings" class="w-empty"><w-icon name="plug" /><b>{{ t("binding.none") }}</b><span>{{ t("binding.none_text") }}</span></p>
        <p v-else-if="!trouble" class="w-empty">{{ t("loading") }}</p>
      </section>
      <section class="w-card set-note" :aria-label="t('binding.others')"><h2 class="w-h2">{{ t("binding.others") }}</h2><p>{{ t("binding.others_api") }}</p><p>{{ t("binding.others_none") }}</p></section>
      <div v-if="editing" class="w-scrim" @click.self="editing = null" @keydown.esc="editing = null">
        <form class="w-dialog set-binding" role="dialog" aria-modal="true" :aria-label="heading" autocomplete="off" @submit.prevent="save">
          <h2 class="w-h2 set-break">{{ heading }}</h2>
          <template v-if="!editing.old">
            <label class="set-label">{{ t("binding.platform") }}<span class="w-field"><select ref="first" v-model="editing.platform" @change="choose"><option v-for="one in platforms" :key="one.platform" :value="one.platform">{{ platformName(one.platform) }}</option></select><w-icon name="chevron-down" /></span></label>
            <label class="set-label">{{ t("binding.account") }}<span class="w-field"><input v-model="editing.account" required maxlength="200" autocomplete="off" spellcheck="false" :placeholder="t('binding.account_like')" @input="follow"></span><small>{{ t("binding.account_about") }}</small></label>
          </template>
          <label class="set-label">{{ t("binding.address") }}<span class="w-field"><input ref="address" v-model="editing.url" required inputmode="url" maxlength="2000" autocomplete="off" spellcheck="false" @input="editing.own = true"></span><small>{{ t("binding.address_about") }}</small></label>
          <label v-for="one in wanted" :key="editing.platform + one.name" class="set-label"><span>{{ t("binding.name." + one.name) }} <em v-if="!one.required">{{ t("binding.optional") }}</em></span><span class="w-field"><input v-model="editing.values[one.name]" :aria-label="t('binding.name.' + one.name)" :type="one.secret ? 'password' : 'text'" :required="one.required && !isSet(one.name)" maxlength="8000" autocomplete="new-password" spellcheck="false" :placeholder="isSet(one.name) ? t('binding.kept') : ''"></span><small>{{ t("binding.about." + editing.platform + "." + one.name) }}</small></label>
          <p v-if="editing.trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ editing.trouble }}</span></p>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="editing = null">{{ t("cancel") }}</button><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t(editing.old ? "binding.save" : "binding.bind") }}</button></div>
        </form>
      </div>
      <are-you-sure v-if="asked" :title="t('binding.sure', { name: nameOf(asked) })" :text="t('binding.sure_text')" :act="t('binding.remove')" danger @yes="remove" @no="asked = null" />
    </div>`,
  data: () => ({ platforms: null, bindings: null, trouble: "", busy: false, editing: null, asked: null }),
  mounted() {
    this.load();
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
    t, moment, dayMinute, platformName, pathOf,
    nameOf: ({ platform, account }) => `${platformName(platform)} · ${account}`,
    known(platform) {
      return (this.platforms || []).find((one) => one.platform === platform);
    },
    isSet(name) {
      return Boolean(this.editing.old && [...this.editing.old.settings, ...this.editing.old.secrets].includes(name));
    },
    async load() {
      try {
        const [platforms, bindings] = await Promise.all([ask("/platforms"), ask("/bindings")]);
        Object.assign(this, { platforms: platforms.items, bindings: bindings.items });
      } catch (error) {
        this.trouble = error.message;
      }
    },
    begin(row) {
      const platform = row ? row.platform : this.platforms[0].platform;
      this.editing = { old: row, platform, account: row ? row.account : "", url: row ? row.url : addressOf(platform, ""), own: Boolean(row), values: {}, trouble: "" };
      this.$nextTick(() => (row ? this.$refs.address : this.$refs.first).focus());
    },
    choose() {
      this.editing.values = {};
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
        await send("PUT", pathOf(place), { url: editing.url.trim(), settings });
        this.editing = null;
        toast(t("binding.done", { name: this.nameOf(place) }));
        await this.load();
      } catch (error) {
        editing.trouble = error.message;
      }
      this.busy = false;
    },
    async remove() {
      const row = this.asked;
      Object.assign(this, { asked: null, busy: true, trouble: "" });
      try {
        await send("DELETE", pathOf(row));
        toast(t("binding.removed", { name: this.nameOf(row) }));
        await this.load();
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
  },
};
