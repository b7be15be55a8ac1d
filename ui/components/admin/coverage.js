// Channels that nobody, or too many, can answer: said where people, teams and channels are looked after.
import { WIcon, channelName, t, tn } from "weir-core";

export const CoverageNotes = {
  name: "CoverageNotes",
  components: { WIcon },
  props: { gaps: Array },
  template: `
    <div v-for="note in notes" :key="note.kind" class="w-banner" :class="note.tone" role="alert"><w-icon name="triangle-alert" /><span class="set-break"><b>{{ note.title }}</b> <bdi>{{ note.channels }}</bdi></span></div>`,
  computed: {
    notes() {
      return [["nobody", ""], ["several", "is-amber"], ["no_team", "is-grey"]].map(([kind, tone]) => {
        const some = this.gaps.filter((gap) => gap.kind === kind);
        return { kind, tone, count: some.length, title: tn("coverage." + kind, some.length), channels: some.map((gap) => channelName(gap.platform, gap.account)).join(", ") };
      }).filter((note) => note.count);
    },
  },
};
