// What is done about a customer, for whoever shows one: `told` is what is known, and `renewed` reads it anew afterwards.
import { ApiError, send, t, tell, toast } from "weir-core";
import { nameOf } from "./words.js";

export const ContactDeeds = {
  data: () => ({ told: null, merged: null, busy: false }),
  computed: {
    shownName() {
      return this.told.contact.name || nameOf(this.told.identities[0]);
    },
  },
  methods: {
    // One thing after the other; whatever came of it, it is shown as it is now.
    async does(work) {
      if (this.busy) return;
      this.busy = true;
      try {
        await work(`/contacts/${encodeURIComponent(this.told.contact.id)}`);
      } catch (problem) {
        if (!(problem instanceof ApiError)) throw problem;
        toast(problem.message, "error");
      } finally {
        this.busy = false;
        await this.renewed();
      }
    },
    merge(one) {
      return this.does(async (place) => {
        const mine = this.told.contact.id;
        const found = await tell(`${place}/merge`, { contact: one.contact.id });
        // The younger one was merged into the older: that is the one to take back.
        this.merged = { contact: found.contact.id === mine ? one.contact.id : mine, name: one.contact.name || nameOf(one.contact.identities[0]) };
      });
    },
    dismiss(one) {
      return this.does((place) => tell(`${place}/suggestions/dismiss`, { contact: one.contact.id }));
    },
    apart(one) {
      return this.does(async (place) => {
        await tell(`${place}/unmerge`, { contact: one.contact });
        this.merged = null;
        toast(t("ctx.apart.done"));
      });
    },
    say(change) {
      return this.does((place) => send("PUT", place, { ...change, version: this.told.contact.version }));
    },
  },
};
