// Teams: who answers which channels; and channels that nobody, or too many, can answer.
import { WIcon, ask, can, channelKey, channelName, platformName, send, t, tn, toast } from "weir-core";
import { AreYouSure, CoverageNotes, SettingsHead } from "weir-admin";

const WHOLE = "*";
const EACH_MS = 15_000;
const partsOf = (channel) => channel.split("/").map(decodeURIComponent);

export default {
  components: { AreYouSure, CoverageNotes, SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="teams" />
      <coverage-notes :gaps="gaps" />
      <section class="w-card" :aria-label="t('settings.teams')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("teams.title") }}</h2><button v-if="may" class="w-btn is-primary" type="button" :disabled="!teams" @click="begin(null)"><w-icon name="plus" />{{ t("teams.add") }}</button></div>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <div v-if="teams && teams.length" class="w-scroll-x"><table class="w-table set-table">
          <thead><tr><th scope="col">{{ t("teams.name") }}</th><th scope="col">{{ t("teams.members") }}</th><th scope="col">{{ t("teams.channels") }}</th><th scope="col">{{ t("teams.routing") }}</th><th v-if="may" scope="col"><span class="w-sr">{{ t("settings.actions") }}</span></th></tr></thead>
          <tbody><tr v-for="team in teams" :key="team.id">
            <td class="set-break"><b><bdi>{{ team.name }}</bdi></b></td>
            <td :data-label="t('teams.members')"><span class="set-pills"><span v-for="name in team.members" :key="name" class="w-pill"><bdi>{{ name }}</bdi></span><span v-if="!team.members.length" class="w-pill is-red">{{ t("teams.no_members") }}</span></span></td>
            <td :data-label="t('teams.channels')"><span class="set-pills"><span v-for="channel in team.channels" :key="channel" class="w-pill"><bdi>{{ nameOf(channel) }}</bdi></span><span v-if="!team.channels.length" class="set-quiet">{{ t("teams.no_channels") }}</span></span></td>
            <td :data-label="t('teams.routing')">{{ t(team.routing ? "teams.by_itself" : "teams.by_hand") }}</td>
            <td v-if="may" class="r set-acts"><button class="w-btn" type="button" :disabled="busy" @click="begin(team)"><w-icon name="pencil" />{{ t("teams.change") }}</button><button class="w-btn is-danger" type="button" :disabled="busy" @click="asked = team">{{ t("teams.delete") }}</button></td>
          </tr></tbody>
        </table></div>
        <p v-else-if="teams" class="w-empty"><w-icon name="users" /><b>{{ t("teams.none") }}</b><span>{{ t("teams.none_text") }}</span></p>
        <p v-else-if="!trouble" class="w-empty">{{ t("loading") }}</p>
      </section>
      <section v-if="reach.length" class="w-card" :aria-label="t('teams.reach')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("teams.reach") }}</h2></div>
        <div class="w-scroll-x"><table class="w-table set-table">
          <thead><tr><th scope="col">{{ t("teams.channel") }}</th><th scope="col">{{ t("teams.of_teams") }}</th><th scope="col">{{ t("teams.people") }}</th></tr></thead>
          <tbody><tr v-for="row in reach" :key="row.platform + '/' + row.account">
            <td class="set-break"><b><bdi>{{ channelName(row.platform, row.account) }}</bdi></b></td>
            <td :data-label="t('teams.of_teams')"><span class="set-pills"><span v-for="name in row.teams" :key="name" class="w-pill"><bdi>{{ name }}</bdi></span><span v-if="!row.teams.length" class="set-quiet">{{ t("teams.everybodys") }}</span></span></td>
            <td :data-label="t('teams.people')" :title="row.people.join(', ')"><span class="w-pill" :class="row.people.length ? '' : 'is-red'">{{ tn("teams.people_count", row.people.length) }}</span></td>
          </tr></tbody>
        </table></div>
      </section>
      <div v-if="editing" class="w-scrim" @click.self="editing = null" @keydown.esc="editing = null">
        <form class="w-dialog set-binding" role="dialog" aria-modal="true" :aria-label="t(editing.old ? 'teams.change' : 'teams.add')" autocomplete="off" @submit.prevent="save">
          <h2 class="w-h2 set-break"><bdi>{{ editing.old ? editing.old.name : t("teams.add") }}</bdi></h2>
          <label class="set-label">{{ t("teams.name") }}<span class="w-field"><input ref="name" v-model="editing.name" required maxlength="60" autocomplete="off" spellcheck="false"></span></label>
          <fieldset class="set-lives"><legend>{{ t("teams.members") }}</legend>
            <div class="set-choices"><label v-for="user in choices" :key="user.name" :class="{ 'is-off': user.disabled }"><input v-model="editing.members" type="checkbox" :value="user.name"><span class="set-break"><bdi>{{ user.name }}</bdi></span><small>{{ user.role ? t("role." + user.role) : "" }}</small></label></div></fieldset>
          <fieldset class="set-lives"><legend>{{ t("teams.channels") }}</legend>
            <div class="set-choices"><label v-for="channel in offered" :key="channel"><input v-model="editing.channels" type="checkbox" :value="channel"><span class="set-break"><bdi>{{ nameOf(channel) }}</bdi></span></label></div>
            <small class="set-why">{{ t("teams.channels_text") }}</small></fieldset>
          <label class="set-check"><input v-model="editing.routing" type="checkbox"><span><b>{{ t("teams.routing_on") }}</b><small>{{ t("teams.routing_text") }}</small></span></label>
          <p v-if="editing.trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ editing.trouble }}</span></p>
          <div class="w-dialog-actions"><button class="w-btn" type="button" @click="editing = null">{{ t("cancel") }}</button><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t("teams.save") }}</button></div>
        </form>
      </div>
      <are-you-sure v-if="asked" :title="t('teams.sure', { name: asked.name })" :text="t('teams.sure_text')" :act="t('teams.delete')" danger @yes="remove" @no="asked = null" />
    </div>`,
  data: () => ({ teams: null, users: [], gaps: [], reach: [], trouble: "", busy: false, editing: null, asked: null, may: can("manage_teams") }),
  computed: {
    choices() {
      const known = this.users.map((user) => user.name);
      const others = (this.editing.old ? this.editing.old.members : []).filter((name) => !known.includes(name));
      return [...this.users, ...others.map((name) => ({ name }))];
    },
    offered() {
      const channels = this.reach.map((row) => channelKey(row.platform, row.account));
      const whole = [...new Set(this.reach.map((row) => row.platform))].map((platform) => channelKey(platform, WHOLE));
      return [...new Set([...whole, ...channels, ...(this.editing.old ? this.editing.old.channels : [])])].sort();
    },
  },
  mounted() {
    this.load();
    this.timer = setInterval(() => document.hidden || this.busy || this.editing || this.load(), EACH_MS);
  },
  beforeUnmount() {
    clearInterval(this.timer);
  },
  methods: {
    t, tn, channelName,
    nameOf(channel) {
      const [platform, account] = partsOf(channel);
      return account === WHOLE ? t("teams.whole", { platform: platformName(platform) }) : channelName(platform, account);
    },
    async load() {
      try {
        const [teams, coverage, users] = await Promise.all([ask("/teams"), ask("/coverage"), can("manage_users") ? ask("/users") : { items: [] }]);
        Object.assign(this, { teams: teams.items, gaps: coverage.items, reach: coverage.channels, users: users.items, trouble: "" });
      } catch (error) {
        this.trouble = error.message;
      }
    },
    begin(team) {
      const { name, members, channels, routing } = team || { name: "", members: [], channels: [], routing: false };
      this.editing = { old: team, name, members: [...members], channels: [...channels], routing, trouble: "" };
      this.$nextTick(() => this.$refs.name.focus());
    },
    async save() {
      const { old, name, members, channels, routing } = this.editing;
      const wanted = { name, members, channels, routing };
      this.busy = true;
      try {
        await (old ? send("PUT", `/teams/${encodeURIComponent(old.id)}`, { ...wanted, version: old.version }) : send("POST", "/teams", wanted));
        this.editing = null;
        toast(t("teams.saved", { name }));
        await this.load();
      } catch (error) {
        this.editing.trouble = error.message;
      }
      this.busy = false;
    },
    async remove() {
      const team = this.asked;
      this.asked = null;
      this.busy = true;
      try {
        await send("DELETE", `/teams/${encodeURIComponent(team.id)}`);
        await this.load();
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
  },
};
