// The open conversation's head: who it is, where he wrote, who has it, who else looks at it, how long is left; and what can be done.
import { WIcon, WLabel, ask, can, channelName, closeConversation, inboxLive, inboxPlace, t, tell, tellKey } from "weir-core";
import { DueChip, Face, PlatformMark, act, desk, languageName, openMenu, rowChanged } from "weir-inbox";

const MOST_FACES = 3;
const LOOKED_MS = 400;

export default {
  components: { DueChip, Face, PlatformMark, WIcon, WLabel },
  template: `
    <div class="ib-head-all"><header class="ib-head">
      <button class="w-btn is-quiet is-icon ib-back" type="button" :aria-label="t('inbox.back')" @click="leave"><w-icon name="arrow-left" /></button>
      <div class="ib-head-who"><h2 class="ib-head-name"><bdi>{{ name }}</bdi><span v-if="others.length" class="ib-present" role="group" :aria-label="t('inbox.present')" :title="presentWords"><face v-for="one in others.slice(0, most)" :key="one.name" :name="one.name" size="s" plain :typing="one.typing" /><span v-if="others.length > most" class="w-meta">+{{ others.length - most }}</span><span class="w-sr">{{ presentWords }}</span></span></h2>
        <p class="w-meta ib-head-line"><template v-if="row"><platform-mark :platform="row.platform" /><due-chip class="ib-only-phone" :row="row" :now="live.now" /><span v-if="typing" class="ib-typing ib-cut">{{ typing }}</span><template v-else><span class="ib-cut">{{ channelName(row.platform, row.account) }}</span><bdi v-if="row.order" class="w-mono ib-cut">{{ row.order }}</bdi><span v-if="lang" class="ib-head-lang">{{ languageName(lang) }}</span><span v-if="row.vip" class="ib-vip">VIP</span><span v-if="row.sensitive" class="ib-glyph is-amber" :title="t('inbox.filter.sensitive')"><w-icon name="shield" /><span class="w-sr">{{ t("inbox.filter.sensitive") }}</span></span></template></template><template v-else>{{ error || t("loading") }}</template></p></div>
      <due-chip v-if="row" class="ib-not-phone" :row="row" :now="live.now" />
      <div v-if="row && may" class="ib-head-deeds">
        <button v-if="!row.assignee" class="w-btn is-primary ib-take" type="button" :aria-label="t('inbox.take')" :title="key_('M')" @click="does('take')"><w-icon name="hand" /><span>{{ t("inbox.take") }}</span></button>
        <button class="w-btn ib-assign" :class="{ 'is-icon': !row.assignee }" type="button" :title="assignWords + ' · A'" :aria-label="assignWords" @click="does('assign')"><face v-if="row.assignee" :name="row.assignee" size="s" plain /><w-icon v-else name="users" /><span v-if="row.assignee" class="ib-cut">{{ row.assignee }}</span></button>
        <button class="w-btn is-icon ib-wide" type="button" :title="t('inbox.key.snooze') + ' · S'" :aria-label="t('inbox.key.snooze')" @click="does('snooze')"><w-icon name="alarm-clock" /></button>
        <button class="w-btn is-icon ib-wide" type="button" :title="t('inbox.key.label') + ' · L'" :aria-label="t('inbox.key.label')" @click="does('label')"><w-icon name="tag" /></button>
        <button class="w-btn ib-resolve" type="button" :title="key_('E')" :aria-label="t(closed ? 'inbox.reopen' : 'inbox.resolve')" @click="does('resolve')"><w-icon :name="closed ? 'undo-2' : 'check'" /><span>{{ t(closed ? "inbox.reopen" : "inbox.resolve") }}</span></button>
      </div>
      <button v-if="row" class="w-btn is-quiet is-icon" type="button" :aria-label="t('inbox.more')" :title="t('inbox.more')" @click="more"><w-icon name="ellipsis" /></button>
    </header>
    <ul v-if="row && (row.labels || []).length" class="ib-head-labels" :aria-label="t('inbox.labels')"><li v-for="label in row.labels" :key="label"><w-label :id="label" /></li></ul></div>`,
  data: () => ({ live: inboxLive, place: inboxPlace, desk, others: [], most: MOST_FACES, may: can("assign"), error: "" }),
  computed: {
    row() {
      return this.place.row;
    },
    name() {
      const { row } = this;
      return row ? row.contact_name || row.contact_id || row.conversation : this.place.key.split("/").pop();
    },
    lang() {
      return this.row && (this.row.lang || this.row.guessed_lang);
    },
    closed() {
      return this.row.status === "closed";
    },
    assignWords() {
      return this.row.assignee ? t("inbox.assigned_to", { name: this.row.assignee }) : t("inbox.assign");
    },
    presentWords() {
      return this.others.map((one) => t(one.typing ? "inbox.types" : "inbox.looks", { name: one.name })).join(", ");
    },
    typing() {
      const who = this.others.filter((one) => one.typing);
      return who.length ? t("inbox.types", { name: who.map((one) => one.name).join(", ") }) : "";
    },
  },
  watch: {
    "place.key": { immediate: true, handler: "follow" },
    // What comes while somebody looks is read at once.
    "row.unread"(unread) {
      if (unread) this.looked();
    },
  },
  mounted() {
    document.addEventListener("visibilitychange", this.looked);
  },
  beforeUnmount() {
    if (this.off) this.off();
    clearTimeout(this.looking);
    document.removeEventListener("visibilitychange", this.looked);
  },
  methods: {
    t, channelName, languageName,
    key_: (letter) => t("inbox.key_is", { key: letter }),
    async follow(key) {
      if (this.off) this.off();
      Object.assign(this, { others: [], error: "" });
      if (!key) return;
      this.off = inboxLive.onPresent(key, (who) => (this.others = who));
      this.looked(true);
      if (this.place.row) return;
      try {
        const row = await ask(`/conversations/${encodeURIComponent(key)}`);
        if (this.place.key === key && !this.place.row) rowChanged(row);
      } catch (wrong) {
        if (this.place.key === key) this.error = wrong.message;
      }
    },
    // The conversation lies before somebody's eyes: it is noted, and its messages count as read. A glance in passing is none.
    looked(first) {
      const { key } = this.place;
      clearTimeout(this.looking);
      this.looking = setTimeout(async () => {
        if (this.place.key !== key || document.hidden || (first !== true && !(this.row && this.row.unread))) return;
        const row = await tell(`/conversations/${encodeURIComponent(key)}/opened`).catch(() => null);
        if (row && row.key) rowChanged(row);
      }, LOOKED_MS);
    },
    leave() {
      closeConversation();
    },
    async does(id) {
      const hidden = await act(id, [this.place.key]);
      if (hidden) tellKey("next_after");
    },
    // What has no button of its own, and on a phone what has none at all.
    async more() {
      const { row } = this;
      const options = [
        { id: "context", label: t("inbox.context"), icon: "user" },
        ...(this.may ? [
          { id: "assign", label: t("inbox.key.assign"), icon: "users" },
          { id: "snooze", label: t("inbox.key.snooze"), icon: "alarm-clock" },
          { id: "label", label: t("inbox.key.label"), icon: "tag" },
          { id: "archive", label: t(row.archived ? "inbox.unarchive" : "inbox.archive"), icon: "archive" },
        ] : []),
        { id: "copy", label: t("inbox.copy_address"), icon: "copy" },
        { id: "close", label: t("inbox.close"), icon: "x" },
      ];
      const chosen = await openMenu({ title: this.name, options });
      if (chosen === "context") tellKey("context");
      else if (chosen === "copy") await navigator.clipboard.writeText(location.href);
      else if (chosen === "close") closeConversation();
      else if (chosen) await this.does(chosen);
    },
  },
};
