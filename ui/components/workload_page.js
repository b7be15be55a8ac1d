// Workload and SLA: who has how much that waits and what is due, live; and how response clocks ended. Every count opens its rows.
import { DASH, WIcon, age, dayMinute, isNumber, keepInAddress, number, platformName, t } from "weir-core";
import { Face } from "weir-inbox";
import { COLUMNS, PERIODS, TERMS, WlCells, WlHead, listOf, parts, share, useWorkload, workload } from "weir-workload";

const SPANS = { day: 86_400_000, week: 604_800_000 };

export default {
  components: { Face, WIcon, WlCells, WlHead },
  props: { query: Object },
  template: `
    <div class="page wl">
      <header class="page-head"><div><h1 class="w-h1">{{ t("workload.title") }}</h1><p class="w-sub">{{ t("workload.about") }}</p></div>
        <div class="wl-tools"><span class="badge" :class="'is-' + data.mode"><i></i><b role="status">{{ t("live." + data.mode) }}</b><span v-if="data.receivedAt && data.mode === 'stale'" class="w-num badge-age">{{ age(data.now - board_at) }}</span></span>
          <div class="w-seg" role="group" :aria-label="t('workload.period')"><button v-for="one in PERIODS" :key="one" type="button" :aria-pressed="period === one" @click="choose(one)">{{ t("workload.period." + one) }}</button></div></div></header>
      <div v-if="data.error" class="w-banner" role="alert"><w-icon name="triangle-alert" /><span>{{ data.error }}</span></div>
      <template v-if="board">
        <div v-if="shortened" class="w-banner is-grey"><w-icon name="clock" /><span>{{ t("workload.since", { at: dayMinute(shortened) }) }}</span></div>
        <section class="w-card tiles wl-tiles" :class="{ 'is-dead': dead }" :aria-label="t('workload.sums')">
          <ol class="tiles-row"><li v-for="tile in tiles" :key="tile.name" class="tile" :class="'is-' + tile.tone"><component :is="tile.to ? 'a' : 'div'" class="tile-in" :href="tile.to" :title="t('workload.term.' + tile.name)">
            <span class="tile-label"><i v-if="tile.tone !== 'calm'" class="dot"></i>{{ t("workload.column." + tile.name) }}</span>
            <span class="tile-line"><b class="tile-value w-num">{{ tile.value }}</b><span class="tile-side w-num">{{ tile.side }}</span></span></component></li></ol>
        </section>
        <section class="w-card wl-card" :class="{ 'is-dead': dead }" :aria-label="t('workload.people')">
          <div class="w-card-head"><h2 class="w-h2">{{ t("workload.people") }}</h2><span class="wl-key"><i class="wl-dot is-online"></i>{{ t("workload.online") }}<i class="wl-dot is-offline"></i>{{ t("workload.offline") }}</span></div>
          <div class="w-scroll-x" tabindex="0" role="group" :aria-label="t('workload.people')"><table class="wl-table">
            <wl-head :first="t('workload.column.person')" :period="period" />
            <tbody v-for="team in board.teams" :key="team.id">
              <tr class="wl-team"><th scope="rowgroup"><w-icon name="users" /><bdi>{{ nameOf(team) }}</bdi><span v-if="team.partial" class="w-pill" :title="t('workload.partial.help')">{{ t("workload.partial") }}</span></th>
                <wl-cells :figures="team.figures" :where="{ team: team.id }" :period="period" :now="data.now" :whose="nameOf(team)" /></tr>
              <tr v-for="person in team.people" :key="person.name || ''" class="wl-person" :class="{ 'is-nobody': person.name === null }"><th scope="row"><span class="wl-who"><template v-if="person.name === null"><span class="wl-none" aria-hidden="true"><w-icon name="user" /></span>{{ t("inbox.nobody") }}</template><template v-else><face :name="person.name" size="xs" plain /><bdi>{{ person.name }}</bdi><i v-if="person.online !== null && person.active" class="wl-dot" :class="person.online ? 'is-online' : 'is-offline'" :title="t(person.online ? 'workload.online' : 'workload.offline')"><span class="w-sr">{{ t(person.online ? "workload.online" : "workload.offline") }}</span></i><span v-if="!person.active" class="w-pill is-amber">{{ t("workload.inactive") }}</span></template></span></th>
                <wl-cells :figures="person.figures" :where="whereOf(team, person)" :period="period" :now="data.now" :whose="person.name === null ? t('inbox.nobody') : person.name" /></tr>
            </tbody>
          </table></div>
        </section>
        <section class="w-card wl-card" :class="{ 'is-dead': dead }" :aria-label="t('workload.platforms')">
          <div class="w-card-head"><h2 class="w-h2">{{ t("workload.platforms") }}</h2></div>
          <div v-if="board.platforms.length" class="w-scroll-x" tabindex="0" role="group" :aria-label="t('workload.platforms')"><table class="wl-table">
            <wl-head :first="t('column.platform')" :period="period" />
            <tbody><tr v-for="row in board.platforms" :key="row.platform" class="wl-platform"><th scope="row">{{ platformName(row.platform) }}</th>
              <wl-cells :figures="row.figures" :where="{ platform: row.platform }" :period="period" :now="data.now" :whose="platformName(row.platform)" /></tr></tbody>
          </table></div>
          <div v-else class="w-empty"><w-icon name="inbox" /><b>{{ t("workload.none") }}</b></div>
        </section>
      </template>
      <div v-else-if="!data.error" class="w-card w-empty"><w-icon name="gauge" />{{ t("loading") }}</div>
      <details class="w-card wl-terms"><summary><w-icon name="chevron-right" />{{ t("workload.terms") }}</summary><dl><template v-for="term in TERMS" :key="term"><dt>{{ t("workload.column." + term) }}</dt><dd>{{ t("workload.term." + term) }}</dd></template></dl></details>
    </div>`,
  data() {
    return { data: workload, PERIODS, TERMS, period: PERIODS.includes(this.query.period) ? this.query.period : PERIODS[0] };
  },
  computed: {
    board() {
      return this.data.board;
    },
    board_at() {
      return this.board ? this.board.at : this.data.now;
    },
    dead() {
      return this.data.mode !== "live";
    },
    // From when on all clocks are counted, where that is later than the period begins.
    shortened() {
      const since = this.board[`${this.period}_since`];
      return since > this.board.at - SPANS[this.period] ? since : 0;
    },
    tiles() {
      const { total, unassigned } = this.board;
      const past = total[this.period];
      const { sum } = parts(past);
      const counts = COLUMNS.map(({ name, filter, tone }) => ({ name, value: number(total.now[name]), side: "", tone: total.now[name] && tone !== "plain" ? tone : "calm", to: listOf({}, filter) }));
      const due = total.now.due_at;
      if (isNumber(due)) counts[1].side = t(due <= this.data.now ? "inbox.overdue" : "inbox.left", { time: age(Math.abs(due - this.data.now)) });
      return [
        ...counts,
        { name: "unassigned", value: number(unassigned.open), side: "", tone: unassigned.breached ? "red" : unassigned.at_risk ? "amber" : "calm", to: listOf({ tab: "unassigned" }) },
        { name: "share", value: sum ? share(past) : DASH, side: sum ? t("workload.of", { n: number(past.in_time), sum: number(sum) }) : "", tone: "calm", to: "" },
      ];
    },
  },
  mounted() {
    this.stop = useWorkload();
  },
  unmounted() {
    this.stop();
  },
  methods: {
    t, age, dayMinute, platformName,
    nameOf: (team) => (team.name === null ? t("workload.no_team") : team.name),
    whereOf: (team, person) => ({ team: team.id, ...(person.name === null ? { tab: "unassigned" } : { assignee: person.name }) }),
    choose(period) {
      this.period = period;
      keepInAddress({ period: period === PERIODS[0] ? "" : period });
    },
  },
};
