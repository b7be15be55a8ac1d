// One's own account: language, theme, password, sessions.
import { WIcon, lang, send, t } from "weir-core";
import { AreYouSure, SettingsHead } from "weir-admin";

const YEAR_S = 365 * 86_400;
const LEAST = 10;
const keep = (name, value) => (document.cookie = `${name}=${value};path=/;max-age=${YEAR_S};samesite=lax`);

export default {
  components: { AreYouSure, SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="profile" />
      <div class="set-columns">
        <section class="w-card" :aria-label="t('profile.look')"><div class="w-card-head"><h2 class="w-h2">{{ t("profile.look") }}</h2></div>
          <div class="w-card-body set-form">
            <dl class="set-who"><div><dt>{{ t("users.name") }}</dt><dd class="set-break"><bdi>{{ me.name }}</bdi></dd></div><div><dt>{{ t("users.role") }}</dt><dd>{{ t("role." + me.role) }}</dd></div></dl>
            <div class="set-line"><span>{{ t("rail.language") }}</span><span class="w-seg" role="group" :aria-label="t('rail.language')"><button type="button" lang="en" :aria-pressed="lang === 'en'" @click="speak('en')">{{ t("profile.lang.en") }}</button><button type="button" lang="zh" :aria-pressed="lang === 'zh'" @click="speak('zh')">{{ t("profile.lang.zh") }}</button></span></div>
            <div class="set-line"><span>{{ t("profile.theme") }}</span><span class="w-seg" role="group" :aria-label="t('profile.theme')"><button v-for="name in ['light', 'dark', 'auto']" :key="name" type="button" :aria-pressed="theme === name" @click="paint(name)">{{ t("profile.theme." + name) }}</button></span></div>
            <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
          </div></section>
        <section class="w-card" :aria-label="t('profile.password')"><div class="w-card-head"><h2 class="w-h2">{{ t("profile.password") }}</h2></div>
          <form class="w-card-body set-form" @submit.prevent="change">
            <input class="w-sr" type="text" name="username" autocomplete="username" :value="me.name" tabindex="-1" aria-hidden="true" readonly>
            <label class="set-label">{{ t("profile.current") }}<span class="w-field"><input v-model="current" type="password" autocomplete="current-password" required maxlength="1024"></span></label>
            <div class="set-label"><label for="set-new">{{ t("profile.new") }}</label><span class="w-field"><input id="set-new" v-model="fresh" type="password" autocomplete="new-password" required :minlength="LEAST" maxlength="1024" aria-describedby="set-least"></span><small id="set-least" class="w-meta">{{ t("profile.least", { n: LEAST }) }}</small></div>
            <label class="set-label">{{ t("profile.again") }}<span class="w-field"><input v-model="again" type="password" autocomplete="new-password" required maxlength="1024"></span></label>
            <p v-if="wrong" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ wrong }}</span></p>
            <p class="w-meta">{{ t("profile.password_text") }}</p>
            <div><button class="w-btn is-primary" type="submit" :disabled="busy">{{ t("profile.change") }}</button></div>
          </form></section>
        <section class="w-card" :aria-label="t('profile.sessions')"><div class="w-card-head"><h2 class="w-h2">{{ t("profile.sessions") }}</h2></div>
          <div class="w-card-body set-form"><p class="w-sub">{{ t("profile.sessions_text") }}</p><div><button class="w-btn is-danger" type="button" @click="leaving = true"><w-icon name="log-out" />{{ t("profile.everywhere") }}</button></div></div></section>
      </div>
      <are-you-sure v-if="leaving" :title="t('profile.sure')" :text="t('profile.sure_text')" :act="t('profile.everywhere')" danger @yes="leave" @no="leaving = false" />
    </div>`,
  data: () => ({ LEAST, lang, me: window.weir.me, theme: window.weir.theme, current: "", fresh: "", again: "", wrong: "", trouble: "", busy: false, leaving: false }),
  methods: {
    t,
    async prefer(wish) {
      try {
        await send("PATCH", "/me", wish);
        this.trouble = "";
      } catch (error) {
        this.trouble = error.message;
      }
    },
    async speak(wanted) {
      keep("weir_lang", wanted);
      await this.prefer({ lang: wanted });
      if (!this.trouble) location.reload();
    },
    async paint(theme) {
      this.theme = window.weir.theme = theme;
      window.weirTheme(theme);
      window.setDark(document.documentElement.dataset.theme === "dark");
      keep("weir_theme", theme);
      await this.prefer({ theme });
    },
    async change() {
      if (this.fresh !== this.again) return (this.wrong = t("profile.differ"));
      Object.assign(this, { busy: true, wrong: "" });
      try {
        await send("POST", "/me/password", { current: this.current, new: this.fresh });
        location.href = "/login";
      } catch (error) {
        this.wrong = error.message;
      }
      this.busy = false;
    },
    async leave() {
      this.leaving = false;
      try {
        await send("DELETE", "/me/sessions");
        location.href = "/login";
      } catch (error) {
        this.trouble = error.message;
      }
    },
  },
};
