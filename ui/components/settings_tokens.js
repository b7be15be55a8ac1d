// API tokens: what programs log in with. A token's secret is shown once, when it is made.
import { WIcon, ask, dayMinute, moment, send, t, toast } from "weir-core";
import { AreYouSure, OnceShown, ROLES, SettingsHead } from "weir-admin";

const LIVES = [30, 90, 365, 0];

export default {
  components: { AreYouSure, OnceShown, SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="tokens" />
      <section class="w-card" :aria-label="t('settings.tokens')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("tokens.title") }}</h2><button class="w-btn is-primary" type="button" @click="begin"><w-icon name="plus" />{{ t("tokens.add") }}</button></div>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <div v-if="tokens && tokens.length" class="w-scroll-x"><table class="w-table set-table">
          <thead><tr><th scope="col">{{ t("tokens.name") }}</th><th scope="col">{{ t("users.role") }}</th><th scope="col">{{ t("users.state") }}</th><th scope="col">{{ t("tokens.used") }}</th><th scope="col">{{ t("tokens.ends") }}</th><th scope="col">{{ t("tokens.by") }}</th><th scope="col"><span class="w-sr">{{ t("settings.actions") }}</span></th></tr></thead>
          <tbody><tr v-for="token in tokens" :key="token.id" :class="{ 'is-off': state(token) !== 'active' }">
            <td class="set-break"><b><bdi>{{ token.name }}</bdi></b><div class="w-meta w-mono">{{ token.id }}</div></td>
            <td :data-label="t('users.role')">{{ t("role." + token.role) }}</td>
            <td :data-label="t('users.state')"><span class="w-pill" :class="state(token) === 'active' ? 'is-green' : ''">{{ t("tokens." + state(token)) }}</span></td>
            <td class="w-num" :data-label="t('tokens.used')">{{ token.last_used_at ? when(token.last_used_at) : t("tokens.never") }}</td>
            <td class="w-num" :data-label="t('tokens.ends')">{{ token.expires_at ? moment(Date.parse(token.expires_at)) : t("tokens.endless") }}</td>
            <td class="set-break" :data-label="t('tokens.by')"><span><bdi>{{ token.created_by }}</bdi> <span class="w-meta w-num">{{ when(token.created_at) }}</span></span></td>
            <td class="r set-acts"><button v-if="state(token) !== 'revoked'" class="w-btn is-danger" type="button" :disabled="busy" @click="asked = token"><w-icon name="trash-2" />{{ t("tokens.revoke") }}</button></td>
          </tr></tbody>
        </table></div>
        <p v-else-if="tokens" class="w-empty"><w-icon name="key-round" /><b>{{ t("tokens.none") }}</b><span>{{ t("tokens.none_text") }}</span></p>
        <p v-else-if="!trouble" class="w-empty">{{ t("loading") }}</p>
      </section>
      <div v-if="adding" class="w-scrim" @click.self="adding = null" @keydown.esc="adding = null">
        <form class="w-dialog" role="dialog" aria-modal="true" :aria-label="t('tokens.add')" @submit.prevent="add">
          <h2 class="w-h2">{{ t("tokens.add") }}</h2>
          <label class="set-label">{{ t("tokens.name") }}<span class="w-field"><input ref="name" v-model="adding.name" required maxlength="100" autocomplete="off" :placeholder="t('tokens.name_like')"></span></label>
          <fieldset class="set-roles"><legend>{{ t("users.role") }}</legend><label v-for="role in ROLES" :key="role"><input v-model="adding.role" type="radio" name="role" :value="role"><span><b>{{ t("role." + role) }}</b><small>{{ t("role.about." + role) }}</small></span></label></fieldset>
          <fieldset class="set-lives"><legend>{{ t("tokens.life") }}</legend><span class="w-seg"><button v-for="days in LIVES" :key="days" type="button" :aria-pressed="adding.days === days" @click="adding.days = days">{{ days ? t("tokens.days", { n: days }) : t("tokens.endless") }}</button></span></fieldset>
          <p v-if="adding.trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ adding.trouble }}</span></p>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="adding = null">{{ t("cancel") }}</button><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t("tokens.create") }}</button></div>
        </form>
      </div>
      <are-you-sure v-if="asked" :title="t('tokens.sure', { name: asked.name })" :text="t('tokens.sure_text')" :act="t('tokens.revoke')" danger @yes="revoke" @no="asked = null" />
      <once-shown v-if="once" :title="t('tokens.made', { name: once.name })" :text="t('tokens.made_text')" :secret="once.secret" @done="once = null" />
    </div>`,
  data: () => ({ ROLES, LIVES, tokens: null, trouble: "", busy: false, adding: null, asked: null, once: null }),
  mounted() {
    this.load();
  },
  methods: {
    t, moment,
    when: (at) => dayMinute(Date.parse(at)),
    state: (token) => (token.revoked_at ? "revoked" : token.expires_at && Date.parse(token.expires_at) <= Date.now() ? "over" : "active"),
    async load() {
      try {
        this.tokens = (await ask("/tokens")).items;
      } catch (error) {
        this.trouble = error.message;
      }
    },
    begin() {
      this.adding = { name: "", role: "viewer", days: 90, trouble: "" };
      this.$nextTick(() => this.$refs.name.focus());
    },
    async add() {
      const { name, role, days } = this.adding;
      this.busy = true;
      try {
        this.once = await send("POST", "/tokens", days ? { name, role, days } : { name, role });
        this.adding = null;
        await this.load();
      } catch (error) {
        this.adding.trouble = error.message;
      }
      this.busy = false;
    },
    async revoke() {
      const token = this.asked;
      Object.assign(this, { asked: null, busy: true, trouble: "" });
      try {
        await send("DELETE", `/tokens/${encodeURIComponent(token.id)}`);
        toast(t("tokens.revoked_one", { name: token.name }));
        await this.load();
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
  },
};
