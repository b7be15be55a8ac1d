// Mutes in words, and asking for a new one: the dialog of the frame listens.
import { dayMinute, minuteOfDay, platformName, channelName } from "./format.js";
import { send, toast } from "./api.js";
import { live, resync } from "./live.js";
import { t } from "./texts.js";

// What may be muted, as the API names it: failed answers and a lost authorisation apart from their kinds.
export const TROUBLES = [
  "delay", "loss", "loss_outbound", "duplicate", "out_of_sync", "attachment_failed", "notification_missed", "translation_failed",
  "channel_silent", "auth",
];
const DAY_MS = 86_400_000;

export const openMute = (subject = {}) => window.dispatchEvent(new CustomEvent("weir-mute", { detail: subject }));
export const muteTrouble = ({ kind }) => (!kind ? t("mute.everything") : TROUBLES.includes(kind) ? t(`kind.${kind}`) : kind);
export const mutePlace = ({ platform, account }) => (!platform ? t("mute.everywhere") : account ? channelName(platform, account) : platformName(platform));

// The end of a mute: the hour alone while it is near.
export const endWords = (at) => (at - live.now < DAY_MS ? minuteOfDay(at) : dayMinute(at));

export async function lift(mute) {
  try {
    await send("DELETE", `/mutes/${encodeURIComponent(mute.id)}`);
    toast(t("mute.lifted", { trouble: muteTrouble(mute), place: mutePlace(mute) }));
    changed();
    return true;
  } catch (wrong) {
    toast(wrong.message, "error");
    return false;
  }
}

// Whoever shows mutes reads them anew; the monitor is pushed what changed.
export function changed() {
  window.dispatchEvent(new CustomEvent("weir-mutes"));
  if (live.snap) setTimeout(resync, 600);
}
