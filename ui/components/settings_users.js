// People: who may log in and as what. New passwords are made up by the server and shown once.
import { WIcon, ask, dayMinute, moment, send, t, toast } from "weir-core";
import { AreYouSure, OnceShown, ROLES, SettingsHead } from "weir-admin";

export default {
  components: { AreYouSure, OnceShown, SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="users" />
      <section class="w-card" :aria-label="t('settings.users')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("users.title") }}</h2>
          <label class="w-field set-find"><w-icon name="search" /><input v-model="wanted" type="search" :placeholder="t('users.find')" :aria-label="t('users.find')" maxlength="100"></label>
          <button class="w-btn is-primary" type="button" @click="begin"><w-icon name="plus" />{{ t("users.add") }}</button></div>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <div v-if="users" class="w-scroll-x"><table class="w-table set-table">
          <thead><tr><th scope="col">{{ t("users.name") }}</th><th scope="col">{{ t("users.role") }}</th><th scope="col">{{ t("users.state") }}</th><th scope="col">{{ t("users.since") }}</th><th scope="col"><span class="w-sr">{{ t("settings.actions") }}</span></th></tr></thead>
          <tbody><tr v-for="user in shown" :key="user.id" :class="{ 'is-off': user.disabled }">
            <td class="set-break"><b><bdi>{{ user.name }}</bdi></b><span v-if="user.name === me" class="w-pill set-me">{{ t("users.you") }}</span></td>
            <td :data-label="t('users.role')"><label class="w-field set-role"><span class="w-sr">{{ t("users.role_of", { name: user.name }) }}</span><select :value="user.role" :disabled="busy" @change="wantRole(user, $event)"><option v-for="role in ROLES" :key="role" :value="role">{{ t("role." + role) }}</option></select><w-icon name="chevron-down" /></label></td>
            <td :data-label="t('users.state')"><span class="w-pill" :class="user.disabled ? '' : 'is-green'">{{ t(user.disabled ? "users.disabled" : "users.active") }}</span></td>
            <td class="w-num set-quiet" :data-label="t('users.since')" :title="moment(user.created_at)">{{ dayMinute(user.created_at) }}</td>
            <td class="r set-acts"><button class="w-btn" type="button" :disabled="busy" @click="asked = { what: 'password', user }"><w-icon name="key-round" />{{ t("users.reset") }}</button><button class="w-btn" :class="{ 'is-danger': !user.disabled }" type="button" :disabled="busy" @click="user.disabled ? change(user, { disabled: false }) : (asked = { what: 'disable', user })">{{ t(user.disabled ? "users.enable" : "users.disable") }}</button></td>
          </tr></tbody>
        </table></div>
        <p v-if="users && !shown.length" class="w-empty">{{ t("users.none") }}</p>
        <p v-if="!users && !trouble" class="w-empty">{{ t("loading") }}</p>
      </section>
      <div v-if="adding" class="w-scrim" @click.self="adding = null" @keydown.esc="adding = null">
        <form class="w-dialog" role="dialog" aria-modal="true" :aria-label="t('users.add')" @submit.prevent="add">
          <h2 class="w-h2">{{ t("users.add") }}</h2><p class="w-sub">{{ t("users.add_text") }}</p>
          <label class="set-label">{{ t("users.name") }}<span class="w-field"><input ref="name" v-model="adding.name" required maxlength="100" autocomplete="off" autocapitalize="none" spellcheck="false"></span></label>
          <fieldset class="set-roles"><legend>{{ t("users.role") }}</legend><label v-for="role in ROLES" :key="role"><input v-model="adding.role" type="radio" name="role" :value="role"><span><b>{{ t("role." + role) }}</b><small>{{ t("role.about." + role) }}</small></span></label></fieldset>
          <p v-if="adding.trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ adding.trouble }}</span></p>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="adding = null">{{ t("cancel") }}</button><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t("users.create") }}</button></div>
        </form>
      </div>
      <are-you-sure v-if="asked" :title="t('users.sure.' + asked.what, { name: asked.user.name })" :text="t('users.sure_text.' + asked.what)" :act="t(asked.what === 'password' ? 'users.reset' : asked.what === 'disable' ? 'users.disable' : 'users.change_role')" :danger="asked.what === 'disable'" @yes="sure" @no="unsure" />
      <once-shown v-if="once" :title="t('users.password_of', { name: once.name })" :text="t('users.password_text')" :secret="once.password" @done="once = null" />
    </div>`,
  data: () => ({ ROLES, users: null, wanted: "", trouble: "", busy: false, adding: null, asked: null, once: null, me: window.weir.me.name }),
  computed: {
    shown() {
      const part = this.wanted.trim().toLowerCase();
      return this.users.filter((user) => user.name.toLowerCase().includes(part));
    },
  },
  mounted() {
    this.load();
  },
  methods: {
    t,
    moment: (at) => moment(Date.parse(at)),
    dayMinute: (at) => dayMinute(Date.parse(at)),
    async load() {
      await this.attempt(async () => (this.users = (await ask("/users")).items));
    },
    async attempt(act) {
      Object.assign(this, { busy: true, trouble: "" });
      try {
        await act();
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
    begin() {
      this.adding = { name: "", role: "agent", trouble: "" };
      this.$nextTick(() => this.$refs.name.focus());
    },
    async add() {
      const { name, role } = this.adding;
      try {
        this.busy = true;
        this.once = await send("POST", "/users", { name, role });
        this.adding = null;
        await this.load();
      } catch (error) {
        this.adding.trouble = error.message;
      }
      this.busy = false;
    },
    wantRole(user, event) {
      this.asked = { what: "role", user, role: event.target.value, box: event.target };
    },
    unsure() {
      if (this.asked.box) this.asked.box.value = this.asked.user.role;
      this.asked = null;
    },
    async sure() {
      const { what, user, role, box } = this.asked;
      this.asked = null;
      if (what === "password") await this.attempt(async () => (this.once = await send("POST", this.path(user) + "/password")));
      else await this.change(user, what === "disable" ? { disabled: true } : { role });
      if (box) box.value = this.users.find((one) => one.id === user.id).role;
    },
    async change(user, wanted) {
      await this.attempt(async () => {
        const changed = await send("PATCH", this.path(user), wanted);
        this.users = this.users.map((one) => (one.id === changed.id ? changed : one));
        toast(t("users.changed", { name: changed.name }));
      });
    },
    path: (user) => `/users/${encodeURIComponent(user.name)}`,
  },
};
