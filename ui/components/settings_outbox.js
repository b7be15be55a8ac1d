// Replies that did not get through: why, and sent again one by one or all at once; those of which nobody knows are settled by a person.
import { WIcon, ask, can, channelName, moment, number, send, t, toConversation, tn, toast } from "weir-core";
import { AreYouSure, SettingsHead } from "weir-admin";

const PAGE = 50;
const TABS = ["failed", "unknown"];

export default {
  components: { AreYouSure, SettingsHead, WIcon },
  template: `
    <div class="set"><settings-head here="outbox" />
      <section class="w-card" :aria-label="t('settings.outbox')">
        <div class="w-card-head"><h2 class="w-h2">{{ t("outbox.title") }}</h2>
          <div class="w-seg" role="group" :aria-label="t('outbox.which')"><button v-for="name in TABS" :key="name" type="button" :aria-pressed="tab === name" @click="tab = name">{{ t("outbox." + name) }}</button></div></div>
        <p class="w-card-body w-sub">{{ t("outbox." + tab + "_text") }}</p>
        <p v-if="trouble" class="set-trouble" role="alert"><w-icon name="circle-alert" /><span>{{ trouble }}</span></p>
        <div v-if="may && tab === 'failed' && rows && rows.length" class="w-card-body set-acts"><button class="w-btn" type="button" :disabled="busy" @click="retryAll"><w-icon name="refresh-cw" />{{ t("outbox.retry_all") }}</button></div>
        <ul v-if="rows && rows.length" class="set-letters">
          <li v-for="row in rows" :key="row.id">
            <div class="set-letter-head"><b class="set-break"><bdi>{{ row.reason || row.code }}</bdi></b><span v-if="row.code" class="w-pill w-mono">{{ row.code }}</span></div>
            <p class="w-meta"><a class="w-link set-break" :href="toConversation(row.key)"><bdi>{{ channelName(row.platform, row.account) }} · {{ row.conversation }}</bdi></a> · <span class="w-num">{{ moment(row.at) }}</span> · <bdi>{{ row.who }}</bdi> · {{ tn("outbox.attempts", row.attempts) }}</p>
            <p v-if="row.text" class="set-break"><bdi>{{ row.text }}</bdi></p>
            <p v-if="row.files.length" class="w-meta"><bdi>{{ row.files.map((file) => file.name).join(", ") }}</bdi></p>
            <p v-if="told[row.id]" class="set-trouble" role="status"><w-icon name="circle-alert" /><bdi>{{ told[row.id].reason }}</bdi></p>
            <div v-if="may" class="set-acts">
              <button v-if="tab === 'failed'" class="w-btn" type="button" :disabled="busy" @click="retry(row, {})"><w-icon name="refresh-cw" />{{ t("outbox.retry") }}</button>
              <button v-if="told[row.id] && told[row.id].compressed" class="w-btn" type="button" :disabled="busy" @click="retry(row, { compress: true })">{{ t("outbox.compress", { size: megabytes(told[row.id].compressed) }) }}</button>
              <button v-if="tab === 'unknown'" class="w-btn" type="button" :disabled="busy" @click="settle(row)">{{ t("outbox.was_sent") }}</button>
              <button v-if="tab === 'unknown'" class="w-btn is-quiet" type="button" :disabled="busy" @click="asked = row">{{ t("outbox.send_again") }}</button>
            </div>
          </li>
        </ul>
        <p v-else-if="rows" class="w-empty"><w-icon name="circle-check" /><b>{{ t("outbox.none") }}</b></p>
        <p v-else-if="!trouble" class="w-empty">{{ t("loading") }}</p>
        <div v-if="next" class="set-more"><button class="w-btn" type="button" :disabled="busy" @click="load(true)">{{ t("settings.more") }}</button></div>
      </section>
      <are-you-sure v-if="asked" :title="t('outbox.sure')" :text="t('outbox.sure_text')" :act="t('outbox.send_again')" @yes="again" @no="asked = null" />
    </div>`,
  data: () => ({ TABS, rows: null, next: null, tab: "failed", told: {}, trouble: "", busy: false, asked: null, may: can("reply") }),
  watch: {
    tab() {
      this.rows = null;
      this.load();
    },
  },
  mounted() {
    this.load();
  },
  methods: {
    t, tn, channelName, toConversation,
    moment: (at) => moment(Date.parse(at)),
    megabytes: (bytes) => number(Math.round((bytes / 2 ** 20) * 10) / 10),
    async load(more = false) {
      const tab = this.tab;
      this.busy = true;
      try {
        const found = await ask(`/outbox?${new URLSearchParams({ limit: PAGE, state: tab, ...(more ? { cursor: this.next } : {}) })}`);
        if (tab === this.tab) Object.assign(this, { rows: more ? [...this.rows, ...found.items] : found.items, next: found.next, trouble: "" });
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
    async done(act) {
      Object.assign(this, { busy: true, trouble: "" });
      try {
        await act();
      } catch (error) {
        this.trouble = error.message;
      }
      this.busy = false;
    },
    gone(row) {
      this.rows = this.rows.filter((one) => one.id !== row.id);
    },
    note(reply, reason, objections) {
      const offer = (objections || []).map((one) => one.figures && one.figures.compressed).find(Boolean);
      this.told = { ...this.told, [reply]: { reason, compressed: offer } };
    },
    retry(row, how) {
      return this.done(async () => {
        try {
          await send("POST", `/outbox/${row.id}/retry`, how);
        } catch (error) {
          this.note(row.id, error.message, error.found && error.found.objections);
          return;
        }
        this.gone(row);
        toast(t("outbox.retried"));
      });
    },
    again() {
      const row = this.asked;
      this.asked = null;
      return this.retry(row, { sure: true });
    },
    settle(row) {
      return this.done(async () => {
        await send("POST", `/outbox/${row.id}/settle`, { sent: true });
        this.gone(row);
      });
    },
    retryAll() {
      return this.done(async () => {
        const found = await send("POST", "/outbox/retry", {});
        const queued = new Set(found.items.filter((one) => one.outcome === "queued").map((one) => one.reply));
        found.items.filter((one) => one.outcome !== "queued").forEach((one) => this.note(one.reply, one.reason, one.objections));
        this.rows = this.rows.filter((row) => !queued.has(row.id));
        toast(t("outbox.retried_all", { n: number(queued.size), of: number(found.items.length + found.left) }));
      });
    },
  },
};
