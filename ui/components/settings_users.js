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
          <thead><tr><th scope="col">{{ t("users.name") }}</th><th scope="col">{{ t("users.role") }}</th><th scope="col">{{ t("users.teams") }}</th><th scope="col">{{ t("users.state") }}</th><th scope="col">{{ t("users.since") }}</th><th scope="col"><span class="w-sr">{{ t("settings.actions") }}</span></th></tr></thead>
          <tbody><tr v-for="user in shown" :key="user.id" :class="{ 'is-off': user.disabled }">
            <td class="set-break"><b><bdi>{{ user.name }}</bdi></b><span v-if="user.name === me" class="w-pill set-me">{{ t("users.you") }}</span></td>
            <td :data-label="t('users.role')"><label class="w-field set-role"><span class="w-sr">{{ t("users.role_of", { name: user.name }) }}</span><select :value="user.role" :disabled="busy" @change="wantRole(user, $event)"><option v-for="role in ROLES" :key="role" :value="role">{{ t("role." + role) }}</option></select><w-icon name="chevron-down" /></label></td>
            <td :data-label="t('users.teams')"><span class="set-pills"><a v-for="team in user.teams || []" :key="team.id" class="w-pill" href="/settings/teams"><bdi>{{ team.name }}</bdi></a><span v-if="!(user.teams || []).length" class="set-quiet">–</span></span></td>
            <td :data-label="t('users.state')"><span class="w-pill" :class="user.disabled ? '' : 'is-green'">{{ t(user.disabled ? "users.disabled" : "users.active") }}</span></td>
            <td class="w-num set-quiet" :data-label="t('users.since')" :title="moment(user.created_at)">{{ dayMinute(user.created_at) }}</td>
            <td class="r set-acts"><button class="w-btn" type="button" :disabled="busy" :title="langsOf(user)" @click="look(user)"><w-icon name="languages" />{{ t("users.details") }}</button><button class="w-btn" type="button" :disabled="busy" @click="asked = { what: 'password', user }"><w-icon name="key-round" />{{ t("users.reset") }}</button><button class="w-btn" :class="{ 'is-danger': !user.disabled }" type="button" :disabled="busy" @click="user.disabled ? change(user, { disabled: false }) : (asked = { what: 'disable', user })">{{ t(user.disabled ? "users.enable" : "users.disable") }}</button></td>
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
      <div v-if="details" class="w-scrim" @click.self="details = null" @keydown.esc="details = null">
        <form class="w-dialog" role="dialog" aria-modal="true" :aria-label="t('users.details')" @submit.prevent="keep">
          <h2 class="w-h2 set-break"><bdi>{{ details.user.name }}</bdi></h2>
          <label class="set-label">{{ t("users.langs") }}<span class="w-field"><input ref="langs" v-model="details.langs" maxlength="200" autocomplete="off" autocapitalize="none" spellcheck="false"></span><small>{{ t("users.langs_text") }}</small></label>
          <label class="set-label">{{ t("users.capacity") }}<span class="w-field"><input v-model="details.capacity" inputmode="numeric" maxlength="4" autocomplete="off" required></span><small>{{ t("users.capacity_text") }}</small></label>
          <p v-if="details.trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ details.trouble }}</span></p>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="details = null">{{ t("cancel") }}</button><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t("users.save") }}</button></div>
        </form>
      </div>
      <are-you-sure v-if="asked" :title="t('users.sure.' + asked.what, { name: asked.user.name })" :text="t('users.sure_text.' + asked.what)" :act="t(asked.what === 'password' ? 'users.reset' : asked.what === 'disable' ? 'users.disable' : 'users.change_role')" :danger="asked.what === 'disable'" @yes="sure" @no="unsure" />
      <once-shown v-if="once" :title="t('users.password_of', { name: once.name })" :text="t('users.password_text')" :secret="once.password" @done="once = null" />
    </div>`,
  data: () => ({ ROLES, users: null, wanted: "", trouble: "", busy: false, adding: null, asked: null, details: null, once: null, me: window.weir.me.name }),
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
        this.users = this.users.map((one) => (one.id === changed.id ? { ...one, ...changed } : one));
        toast(t("users.changed", { name: changed.name }));
      });
    },
    langsOf: (user) => (user.langs || []).join(", "),
    look(user) {
      this.details = { user, langs: this.langsOf(user), capacity: String(user.capacity), trouble: "" };
      this.$nextTick(() => this.$refs.langs.focus());
    },
    async keep() {
      const { user, langs, capacity } = this.details;
      this.busy = true;
      try {
        const room = /^\d+$/.test(capacity) ? Number(capacity) : capacity;
        const changed = await send("PATCH", this.path(user), { langs: langs.split(/[\s,;]+/).filter(Boolean), capacity: room });
        this.users = this.users.map((one) => (one.id === changed.id ? { ...one, ...changed } : one));
        this.details = null;
        toast(t("users.changed", { name: changed.name }));
      } catch (error) {
        this.details.trouble = error.message;
      }
      this.busy = false;
    },
    path: (user) => `/users/${encodeURIComponent(user.name)}`,
  },
};
