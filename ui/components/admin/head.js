// The head of every settings page: its name, and the way to the others this person may open.
import { can, t } from "weir-core";

const PLACES = [
  { path: "/settings", name: "profile" },
  { path: "/settings/notifications", name: "alerts", needs: "reply" },
  { path: "/settings/templates", name: "templates", needs: "reply" },
  { path: "/settings/users", name: "users", needs: "manage_users" },
  { path: "/settings/teams", name: "teams", needs: "view_coverage" },
  { path: "/settings/tokens", name: "tokens", needs: "manage_tokens" },
  { path: "/settings/channels", name: "channels", needs: "manage_channels" },
  { path: "/settings/labels", name: "labels", needs: "manage_labels" },
  { path: "/settings/audit", name: "audit", needs: "view_audit" },
  { path: "/settings/outbox", name: "outbox", needs: "reply" },
  { path: "/settings/dead-letters", name: "letters", needs: "view_dead_letters" },
];

export const SettingsHead = {
  name: "SettingsHead",
  props: { here: String },
  template: `
    <header class="set-head"><h1 class="w-h1">{{ t("settings.title") }}</h1>
      <nav class="set-tabs" :aria-label="t('settings.title')"><a v-for="place in places" :key="place.path" :href="place.path" :aria-current="place.name === here ? 'page' : undefined">{{ t("settings." + place.name) }}</a></nav></header>`,
  computed: { places: () => PLACES.filter((place) => !place.needs || can(place.needs)) },
  methods: { t },
};
