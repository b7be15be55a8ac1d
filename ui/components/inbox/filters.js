// The list's filters: what may be chosen, and what it is called on its chip.
import * as Vue from "vue";
import { ApiError, activeLabels, ask, chooseList, inboxPlace, labelName, loadLabels, platformName, t, toast } from "weir-core";
import { people } from "./deeds.js";
import { languageName } from "./marks.js";
import { openMenu } from "./menu.js";

const LANGUAGES = ["en", "zh", "de", "fr", "es", "pt", "it", "th", "vi", "id", "ms", "tl", "ja", "ko", "ar", "ru", "pl", "tr"];
const ANOMALIES = ["delay", "loss", "duplicate", "out_of_sync", "attachment_failed", "notification_missed", "translation_failed"];
export const FILTER_FIELDS = ["platform", "account", "label", "lang", "assignee", "team", "sla", "anomaly", "order", "waiting", "vip", "sensitive"];
const ICONS = { platform: "store", account: "plug", label: "tag", lang: "languages", assignee: "user", team: "users", sla: "clock", anomaly: "triangle-alert", order: "package", vip: "star", sensitive: "shield", waiting: "clock", q: "search" };

const FLAGS = ["vip", "sensitive", "waiting"];
const NO_TEAM = "none";

// A team's name, once the teams are known; until then its id.
const known = Vue.shallowReactive({ teams: [] });
let asked = false;
function teamName(id) {
  if (id === NO_TEAM) return t("workload.no_team");
  if (!asked) {
    asked = true;
    people().then(
      ({ teams }) => (known.teams = teams),
      (wrong) => {
        asked = false;
        if (!(wrong instanceof ApiError)) throw wrong;
      },
    );
  }
  const team = known.teams.find((one) => one.id === id);
  return team ? team.name : id;
}

export function filterWords(field, value) {
  const shown = { platform: platformName, label: labelName, lang: languageName, sla: (one) => t(`sla.${one}`), anomaly: (one) => t(`kind.${one}`), team: teamName }[field];
  if (FLAGS.includes(field)) return t(`inbox.filter.${field}`);
  return `${t(`inbox.filter.${field}`)}: ${shown ? shown(value) : value}`;
}

let channels = null;
// The channels there are, as the monitor knows them.
async function channelsThere() {
  if (!channels) channels = (await ask("/monitor?range=15m")).channels.map((row) => [row.platform, row.account]);
  return channels;
}

const option = (value, label, icon) => ({ id: value, label, icon });
async function optionsOf(field) {
  if (field === "platform") return [...new Set((await channelsThere()).map(([platform]) => platform))].sort().map((one) => option(one, platformName(one), "store"));
  if (field === "account") return (await channelsThere()).filter(([platform]) => !inboxPlace.filters.platform || platform === inboxPlace.filters.platform).map(([platform, account]) => ({ ...option(`${platform} ${account}`, account, "plug"), hint: platformName(platform) }));
  if (field === "label") return (await loadLabels(), activeLabels()).map((one) => option(one, labelName(one), "tag"));
  if (field === "lang") return LANGUAGES.map((one) => ({ ...option(one, languageName(one), "languages"), words: one }));
  if (field === "sla") return ["at_risk", "breached", "ok"].map((one) => option(one, t(`sla.${one}`), "clock"));
  if (field === "anomaly") return ANOMALIES.map((one) => option(one, t(`kind.${one}`), "triangle-alert"));
  const { teams, names } = await people();
  if (field === "team") return [...teams.map((team) => option(team.id, team.name, "users")), option(NO_TEAM, teamName(NO_TEAM), "users")];
  return names.map((one) => option(one, one, "user"));
}

// Asks what to filter by, then for the value; two steps of one menu.
export async function chooseFilter() {
  await choose().catch((wrong) => {
    if (!(wrong instanceof ApiError)) throw wrong;
    toast(wrong.message, "error");
  });
}

async function choose() {
  const field = await openMenu({ title: t("inbox.filter"), options: FILTER_FIELDS.map((one) => option(one, t(`inbox.filter.${one}`), ICONS[one])) });
  if (field === null) return;
  const filters = { ...inboxPlace.filters };
  if (FLAGS.includes(field)) filters[field] = "true";
  else if (field === "order") {
    const found = await openMenu({ title: t("inbox.filter.order"), options: [], fresh: "inbox.filter.order_is", placeholder: t("inbox.filter.order") });
    if (found === null) return;
    filters.order = found.fresh;
  } else {
    const value = await openMenu({ title: t(`inbox.filter.${field}`), options: optionsOf(field), fresh: field === "label" ? "inbox.filter.label_is" : undefined });
    if (value === null) return;
    if (field === "account") [filters.platform, filters.account] = [value.split(" ")[0], value.slice(value.indexOf(" ") + 1)];
    else filters[field] = value.fresh || value;
  }
  chooseList({ filters });
}
