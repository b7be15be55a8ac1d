// What can be tuned, by kind of trouble; under each threshold the places that differ from everything else.
import { WIcon, t } from "weir-core";
import { label, scopeName, shown } from "./scale.js";

export const TuningTree = {
  name: "TuningTree",
  components: { WIcon },
  props: { specs: Array, overrides: Object, pending: Object, name: String, scope: String },
  emits: ["choose"],
  template: `
    <nav class="w-card tun-tree" :aria-label="t('tuning.list')">
      <section v-for="group in groups" :key="group.kind">
        <h2>{{ t("kind." + group.kind) }}</h2>
        <ul>
          <li v-for="spec in group.specs" :key="spec.name">
            <button class="tun-item" type="button" :aria-current="spec.name === name && !scope ? 'true' : undefined" :class="{ 'is-touched': touched(spec.name, '') }" @click="$emit('choose', spec.name, '')">
              <span class="tun-item-name">{{ label(spec.name) }}</span><b class="w-num">{{ shown(spec, overall(spec)) }}</b>
            </button>
            <button v-for="place in places(spec.name)" :key="place" class="tun-item tun-place" type="button" :aria-current="spec.name === name && place === scope ? 'true' : undefined" :class="{ 'is-touched': touched(spec.name, place) }" @click="$emit('choose', spec.name, place)">
              <span class="tun-item-name">{{ scopeName(place) }}</span><b class="w-num">{{ shown(spec, at(spec, place), place) }}</b>
            </button>
          </li>
        </ul>
      </section>
    </nav>`,
  computed: {
    groups() {
      const kinds = [...new Set(this.specs.map((spec) => spec.kind))];
      return kinds.map((kind) => ({ kind, specs: this.specs.filter((spec) => spec.kind === kind) }));
    },
  },
  watch: {
    name: { handler: "reveal", immediate: true },
    scope: "reveal",
  },
  methods: {
    // Scrolls the list alone, never the page.
    async reveal() {
      await this.$nextTick();
      const [list, mine] = [this.$el, this.$el && this.$el.querySelector("[aria-current]")];
      if (!mine) return;
      const top = mine.offsetTop;
      if (top < list.scrollTop || top + mine.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 3;
    },
    t, label, scopeName, shown,
    overall(spec) {
      const own = (this.overrides[""] || {})[spec.name];
      return own === undefined ? spec.default : own;
    },
    at(spec, place) {
      const own = this.overrides[place];
      return own && spec.name in own ? own[spec.name] : "default";
    },
    touched(name, scope) {
      return `${scope}:${name}` in this.pending;
    },
    places(name) {
      const kept = Object.keys(this.overrides).filter((scope) => scope && name in this.overrides[scope]);
      const moved = Object.keys(this.pending).filter((key) => key.endsWith(`:${name}`)).map((key) => key.slice(0, -name.length - 1));
      const here = this.name === name && this.scope ? [this.scope] : [];
      return [...new Set([...kept, ...moved.filter(Boolean), ...here])].sort();
    },
  },
};
