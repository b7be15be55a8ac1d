// Orders with how far they are, their parcels and what came back; tracking numbers in a conversation.
import { WIcon, dayMinute, platformName, safeHref, t, tn, toMs } from "weir-core";
import { PlatformMark } from "weir-inbox";
import { money, plainWord } from "./words.js";

const SHOWN = 4;

export const OrderCard = {
  components: { PlatformMark, WIcon },
  props: { order: Object },
  template: `
    <article class="ctx-order" :class="{ 'is-here': order.here }">
      <header class="ctx-order-head"><platform-mark :platform="order.platform" /><b class="w-mono ctx-break"><bdi>{{ order.number }}</bdi></b><b class="w-num ctx-order-sum">{{ money(order.total, order.currency) }}</b></header>
      <p class="ctx-order-why"><span v-if="order.here" class="w-pill is-accent">{{ t("ctx.order.here") }}</span><span v-else class="w-meta">{{ order.why.map((why) => t("ctx.why." + why)).join(" · ") }}</span><bdi v-if="order.refund" class="w-pill is-amber">{{ plainWord(order.refund) }}</bdi></p>
      <ol class="ctx-steps"><li v-for="step in order.steps" :key="step.what" :class="'is-' + step.state"><i aria-hidden="true"></i><span>{{ t("ctx.step." + step.what) }}<span v-if="step.partly" class="w-meta"> · {{ t("ctx.partly") }}</span><span class="w-sr"> {{ t("ctx.state." + step.state) }}</span></span><span class="w-meta w-num">{{ step.at ? dayMinute(toMs(step.at)) : t("ctx.state." + step.state) }}</span></li></ol>
      <ul v-if="order.items.length" class="ctx-items"><li v-for="(item, index) in shown" :key="index"><span class="w-num w-meta">{{ item.quantity }} ×</span><span class="ctx-break"><bdi>{{ item.title }}</bdi><bdi v-if="item.sku" class="w-meta w-mono">{{ item.sku }}</bdi></span><span class="w-num">{{ item.price ? money(item.price, order.currency) : "" }}</span></li>
        <li v-if="order.items.length > shown.length" class="ctx-more"><button class="w-btn is-quiet" type="button" @click="all = true">{{ tn("ctx.items_more", order.items.length - shown.length) }}</button></li></ul>
      <ul v-if="order.shipments.length" class="ctx-parcels"><li v-for="(parcel, index) in order.shipments" :key="index"><w-icon name="package" /><span class="ctx-break"><bdi>{{ parcel.carrier || t("ctx.parcel") }}</bdi> <a v-if="href(parcel)" class="w-link w-mono" :href="href(parcel)" target="_blank" rel="noopener noreferrer">{{ parcel.number || t("ctx.track") }}<w-icon name="external-link" /></a><bdi v-else class="w-mono">{{ parcel.number }}</bdi></span><bdi class="w-meta">{{ plainWord(parcel.status) }}</bdi></li></ul>
      <p class="w-meta"><bdi>{{ [platformName(order.platform), order.account, order.name, order.country].filter(Boolean).join(" · ") }}</bdi></p>
      <slot name="actions" :order="order"></slot>
    </article>`,
  data: () => ({ all: false }),
  computed: {
    shown() {
      return this.all || this.order.items.length <= SHOWN ? this.order.items : this.order.items.slice(0, SHOWN - 1);
    },
  },
  methods: { t, tn, money, plainWord, platformName, dayMinute, toMs, href: (parcel) => safeHref(parcel.url) },
};

export const Parcels = {
  components: { WIcon },
  props: { found: Array },
  template: `
    <section v-if="found.length" class="ctx-block"><h3 class="ctx-title">{{ t("ctx.tracking") }}</h3>
      <ul class="ctx-parcels"><li v-for="one in found" :key="one.number"><w-icon name="package" /><span class="ctx-break"><span>{{ one.carriers[0] || t("ctx.parcel") }}</span> <a v-if="href(one)" class="w-link w-mono" :href="href(one)" target="_blank" rel="noopener noreferrer">{{ one.number }}<w-icon name="external-link" /></a><bdi v-else class="w-mono">{{ one.number }}</bdi></span><span v-if="!one.sure" class="w-meta">{{ t("ctx.perhaps") }}</span></li></ul></section>`,
  methods: { t, href: (one) => safeHref(one.url) },
};
