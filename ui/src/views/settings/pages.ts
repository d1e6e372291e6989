import Bell from "@lucide/svelte/icons/bell";
import BellRing from "@lucide/svelte/icons/bell-ring";
import Headset from "@lucide/svelte/icons/headset";
import Keyboard from "@lucide/svelte/icons/keyboard";
import Palette from "@lucide/svelte/icons/palette";
import Phone from "@lucide/svelte/icons/phone";
import Server from "@lucide/svelte/icons/server";
import Wrench from "@lucide/svelte/icons/wrench";
import type { Component } from "svelte";

import type { Word } from "../../lib/i18n";
import type { Store } from "../../store.svelte";
import AdvancedPage from "./AdvancedPage.svelte";
import AppearancePage from "./AppearancePage.svelte";
import CallsPage from "./CallsPage.svelte";
import NotificationsPage from "./NotificationsPage.svelte";
import Ringing from "./Ringing.svelte";
import ServersPage from "./ServersPage.svelte";
import ShortcutsPage from "./ShortcutsPage.svelte";
import SoundPage from "./SoundPage.svelte";

/** What every page is given. */
export interface PageProps {
  store: Store;
}

/** A page of the settings: one file beside this one, and one line in the list below. */
export interface Page {
  id: string;
  title: Word;
  /** One sentence under the title. */
  text: Word;
  icon: Component<{ class?: string }>;
  component: Component<PageProps>;
  /** Words that find it besides its title: the labels of its rows. */
  finds: readonly Word[];
}

/** The pages, in the order of display. */
export const pages: readonly Page[] = [
  { id: "sound", title: "settings.sound", text: "settings.sound.text", icon: Headset, component: SoundPage, finds: ["device.input", "device.output", "settings.level", "sound.echo", "sound.noise", "sound.gain", "sound.highpass", "sound.threshold", "sound.test", "sound.input.volume", "sound.output.volume"] },
  { id: "calls", title: "settings.calls", text: "settings.calls.text", icon: Phone, component: CallsPage, finds: ["calls.channels", "calls.direct", "calls.nomic", "calls.hint", "calls.left", "calls.notes", "calls.reactions", "calls.captions", "calls.captions.size", "calls.captions.place", "calls.level", "calls.big", "calls.narrow"] },
  { id: "ringing", title: "settings.ringing", text: "settings.ringing.text", icon: BellRing, component: Ringing, finds: ["ring.on", "ring.tone", "ring.device", "ring.volume", "ring.for", "ring.quiet", "ring.channels", "ring.blocked"] },
  { id: "notifications", title: "settings.notifications", text: "settings.notifications.text", icon: Bell, component: NotificationsPage, finds: ["notes.messages", "notes.calls", "notes.chat", "notes.text", "notes.join", "notes.mute", "notes.tray", "notes.autostart", "notes.test"] },
  { id: "servers", title: "settings.servers", text: "settings.servers.text", icon: Server, component: ServersPage, finds: ["trust.ring", "trust.notify", "trust.microphone", "trust.screen", "trust.links", "servers.add"] },
  { id: "appearance", title: "settings.appearance", text: "settings.appearance.text", icon: Palette, component: AppearancePage, finds: ["look.theme", "look.text", "look.density", "look.motion", "look.language", "look.clock"] },
  { id: "shortcuts", title: "settings.shortcuts", text: "settings.shortcuts.text", icon: Keyboard, component: ShortcutsPage, finds: ["keys.call", "keys.anywhere", "keys.writing"] },
  { id: "advanced", title: "settings.advanced", text: "settings.advanced.text", icon: Wrench, component: AdvancedPage, finds: ["advanced.server", "advanced.calls"] },
];
