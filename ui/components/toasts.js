// Short messages that go by themselves; errors stay longer. Read out to screen readers.
import { WIcon, t } from "weir-core";

let count = 0;
const PATIENCE_MS = 2000;

export default {
  components: { WIcon },
  template: `
    <div class="w-toasts" role="status" aria-live="polite">
      <div v-if="lost" class="w-toast"><w-icon name="refresh-cw" /><span>{{ t("error.connection") }}</span></div>
      <div v-for="item in items" :key="item.id" class="w-toast">
        <w-icon :name="item.tone === 'error' ? 'circle-alert' : 'circle-check'" /><span>{{ item.text }}</span>
      </div>
    </div>`,
  data: () => ({ items: [], lost: false }),
  mounted() {
    this.add = ({ detail }) => {
      const item = { id: ++count, ...detail };
      this.items.push(item);
      setTimeout(() => (this.items = this.items.filter((other) => other !== item)), detail.tone === "error" ? 9000 : 4500);
    };
    window.addEventListener("weir-toast", this.add);
    this.listen();
  },
  methods: {
    t,
    // The frame opens its socket after its components are mounted. A moment without it is nothing to speak of.
    listen() {
      if (!window.socket) return setTimeout(this.listen, 50);
      window.socket.on("disconnect", () => (this.timer = setTimeout(() => (this.lost = true), PATIENCE_MS)));
      window.socket.on("connect", () => {
        clearTimeout(this.timer);
        this.lost = false;
      });
    },
  },
  unmounted() {
    window.removeEventListener("weir-toast", this.add);
  },
};
