// A list of any length as windows over the server's: pages of 50 by offset, fetched when they come near. Rows are plain
// objects in plain arrays, never made reactive: whoever draws them is told by `changed`.
import { ask } from "weir-core";

export const PAGE = 50;
const PAGES_AT_ONCE = 4;
const MOST_PAGES = 120;
const AHEAD = 25;
const MOST_UNDER_WAY = 2;

export class Rows {
  constructor(changed) {
    this.changed = changed;
    this.query = "";
    this.turn = 0;
    this.under = new Map();
    this.wanted = [];
    this.forget();
  }

  forget() {
    this.pages = new Map();
    this.places = new Map();
    this.total = null;
    this.counts = null;
    this.error = null;
  }

  // Another list. What was on its way for the one before is given up.
  open(query) {
    this.query = query;
    this.giveUp();
    this.forget();
    this.need(0, PAGE - 1);
    this.changed();
  }

  giveUp() {
    this.turn += 1;
    for (const asking of this.under.values()) asking.abort();
    this.under.clear();
    this.wanted = [];
  }

  at(index) {
    const page = this.pages.get(Math.floor(index / PAGE));
    return page && page[index % PAGE];
  }

  indexOf(key) {
    const index = this.places.get(key);
    return index === undefined ? -1 : index;
  }

  // These are in sight: what is missing of them and next to them is fetched, no more than two pages at a time.
  need(first, last) {
    const end = this.total === null ? 0 : Math.floor(Math.min(last + AHEAD, Math.max(this.total - 1, 0)) / PAGE);
    this.wanted = [];
    for (let number = Math.max(0, Math.floor((first - AHEAD) / PAGE)); number <= end; number++) {
      if (!this.pages.has(number) && !this.under.has(number)) this.wanted.push(number);
    }
    this.pump();
  }

  pump() {
    while (this.wanted.length && this.under.size < MOST_UNDER_WAY) this.fetch(this.wanted.shift());
  }

  async fetch(number) {
    const turn = this.turn;
    const asking = new AbortController();
    this.under.set(number, asking);
    try {
      const found = await this.window(number, 1, asking.signal);
      if (turn !== this.turn) return;
      this.error = null;
      this.take(number, found);
    } catch (wrong) {
      if (turn !== this.turn || wrong.name === "AbortError") return;
      this.error = wrong;
      this.wanted = [];
    } finally {
      if (turn === this.turn) {
        this.under.delete(number);
        this.changed();
        this.pump();
      }
    }
  }

  window(number, pages, signal) {
    const query = new URLSearchParams(this.query);
    query.set("offset", number * PAGE);
    query.set("limit", pages * PAGE);
    return ask(`/inbox?${query}`, signal);
  }

  take(number, found) {
    this.total = found.total;
    if (found.counts) this.counts = found.counts;
    for (let from = 0; from < Math.max(1, found.items.length); from += PAGE) this.pages.set(number + from / PAGE, found.items.slice(from, from + PAGE));
    found.items.forEach((row, place) => this.places.set(row.key, number * PAGE + place));
    while (this.pages.size > MOST_PAGES) this.drop(number);
  }

  // Of many pages the one that is farthest from sight goes.
  drop(near) {
    const far = [...this.pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near))[0];
    for (const row of this.pages.get(far)) this.places.delete(row.key);
    this.pages.delete(far);
  }

  // Read again what is in sight; the rest is fetched anew when it comes into sight. Resolves to whether it came.
  async renew(first, last, wanted = () => true) {
    this.giveUp();
    const turn = this.turn;
    const from = Math.floor(first / PAGE);
    const to = Math.floor(Math.max(first, last) / PAGE);
    const asking = new AbortController();
    this.under.set(-1, asking);
    try {
      const found = [];
      for (let number = from; number <= to; number += PAGES_AT_ONCE) found.push([number, await this.window(number, Math.min(PAGES_AT_ONCE, to - number + 1), asking.signal)]);
      if (turn !== this.turn || !wanted()) return false;
      this.forget();
      for (const [number, page] of found) this.take(number, page);
      return true;
    } catch (wrong) {
      if (turn === this.turn && wrong.name !== "AbortError") this.error = wrong;
      return false;
    } finally {
      if (turn === this.turn) {
        this.under.delete(-1);
        this.changed();
      }
    }
  }

  // A row has changed; whether it is among those held.
  put(row) {
    const index = this.places.get(row.key);
    if (index === undefined) return false;
    this.pages.get(Math.floor(index / PAGE))[index % PAGE] = row;
    return true;
  }
}
