// Short messages that go by themselves; errors stay longer. Read out to screen readers.
import { WIcon } from "weir-core";

let count = 0;

export default {
  components: { WIcon },
  template: `
    <div class="w-toasts" role="status" aria-live="polite">
      <div v-for="item in items" :key="item.id" class="w-toast">
        <w-icon :name="item.tone === 'error' ? 'circle-alert' : 'circle-check'" /><span>{{ item.text }}</span>
      </div>
    </div>`,
  data: () => ({ items: [] }),
  mounted() {
    this.add = ({ detail }) => {
      const item = { id: ++count, ...detail };
      this.items.push(item);
      setTimeout(() => (this.items = this.items.filter((other) => other !== item)), detail.tone === "error" ? 9000 : 4500);
    };
    window.addEventListener("weir-toast", this.add);
  },
  unmounted() {
    window.removeEventListener("weir-toast", this.add);
  },
};
