// The only file that knows Tauri. Everything else speaks to a `Bridge`, which `fake.ts` also is.
import { Channel, convertFileSrc, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { getCurrentWindow } from "@tauri-apps/api/window";

import type { Command, Levels, Patch, Snapshot, TimelineChange } from "./bindings";

/** What can be done with the call's windows. */
export type CallWindowAct = "expand" | "collapse" | "main" | "settings" | "hears" | "hide" | "left" | "right" | "up" | "down";

/** What the interface may ask of the core, and what it hears from it. */
export interface Bridge {
  /** Which window this is: `main`, `call`. */
  readonly label: string;
  /** A person's wish. Resolves when the core has taken it; what comes of it arrives as patches. */
  dispatch(command: Command): Promise<void>;
  /** The whole state. */
  snapshot(): Promise<Snapshot>;
  /** Calls back for every changed slice. Resolves when listening has begun. */
  onPatch(heard: (patch: Patch) => void): Promise<() => void>;
  /** What changed of a long timeline, instead of a patch with all of it. */
  onRows(heard: (change: TimelineChange) => void): Promise<() => void>;
  /** Calls back ten times a second while sound is measured. Lossy. */
  onLevels(heard: (levels: Levels) => void): Promise<() => void>;
  /** Opens a web or mail address outside, in the person's own browser. */
  openLink(url: string): Promise<void>;
  /** The newest part of the log, without secrets. */
  readLog(): Promise<string>;
  /** Puts it among the downloads; says where. */
  saveLog(): Promise<string>;
  /** Opens the system's page on which the microphone is allowed. */
  openPrivacy(): Promise<void>;
  /** Shows the folder with the log in the person's file manager. */
  openLogs(): Promise<void>;
  /**
   * The next picture of a shared screen (our own for `null`) newer than `after`, made smaller to fit the size if that is
   * worth it (0: never); nothing (0 bytes) if none comes within a second. See `lib/paint.ts`.
   */
  nextFrame(session: string | null, after: number, width: number, height: number): Promise<ArrayBuffer>;
  /** A small picture of something that can be shared, as PNG. */
  thumbnail(source: string): Promise<ArrayBuffer>;
  /** Brings one of our windows forward: the large one of the call, its bar again, the main one, or that with the settings. */
  window(which: CallWindowAct): Promise<void>;
  /** Calls back when another window asks for the settings. Resolves when listening has begun. */
  onSettings(heard: () => void): Promise<() => void>;
  /** How high the bar's window must be, in pixels of the page. */
  fit(height: number): Promise<void>;
  /** Attaches a file to what is being written in a channel or thread. Resolves when the core has it. */
  attach(channel: string, root: string | null, file: File, server?: number): Promise<void>;
  /** What stands in a file of the server's from a byte on, at most a MiB. */
  filePart(file: string, from: number): Promise<ArrayBuffer>;
  /** Address of a picture of the server's: a file small, larger or as it is, or an emoji by its id. */
  image(kind: "thumbnail" | "preview" | "whole" | "emoji", id: string): string | undefined;
  /** Address of somebody's portrait, or nothing if there is none to be had. */
  avatar(user: string, version: number): string | undefined;
}

/** The bridge to the core in this process. */
export function tauriBridge(): Bridge {
  const patches = new Set<(patch: Patch) => void>();
  const changes = new Set<(change: TimelineChange) => void>();
  // One for both: what was told first is heard first.
  let hears: Promise<void> | undefined;
  const channel = new Channel<{ patch: Patch } | { rows: TimelineChange }>((news) => {
    if ("patch" in news) patches.forEach((heard) => heard(news.patch));
    else changes.forEach((heard) => heard(news.rows));
  });
  const hear = () => (hears ??= invoke("hear", { channel, anew: true }));
  return {
    label: getCurrentWindow().label,
    dispatch: (command) => invoke("dispatch", { command }),
    snapshot: () => invoke<Snapshot>("snapshot"),
    onPatch: async (heard) => {
      patches.add(heard);
      await hear();
      return () => patches.delete(heard);
    },
    onRows: async (heard) => {
      changes.add(heard);
      await hear();
      return () => changes.delete(heard);
    },
    onLevels: (heard) => listen<Levels>("levels", (event) => heard(event.payload)),
    nextFrame: (session, after, width, height) => invoke<ArrayBuffer>("next_frame", { session, after, width, height }),
    thumbnail: (source) => invoke<ArrayBuffer>("thumbnail", { source }),
    openLink: (url) => invoke("open_link", { url }),
    openLogs: () => invoke("open_logs"),
    readLog: () => invoke<string>("read_log"),
    saveLog: () => invoke<string>("save_log"),
    openPrivacy: () => invoke("open_privacy"),
    window: (which) => invoke("call_window", { which }),
    onSettings: async (heard) => {
      const stop = await listen("settings", () => heard());
      // Another window may have asked while this one was still loading.
      await invoke("call_window", { which: "hears" });
      return stop;
    },
    fit: (height) => invoke("fit_bar", { height: Math.ceil(height) }),
    attach: async (channel, root, file, server) => {
      const headers = { "x-server": server === undefined ? "" : String(server), "x-channel": channel, "x-root": root ?? "", "x-name": encodeURIComponent(file.name || "file") };
      await invoke("attach", new Uint8Array(await file.arrayBuffer()), { headers });
    },
    filePart: (file, from) => invoke<ArrayBuffer>("file_part", { file, from }),
    image: (kind, id) => convertFileSrc(`${kind}/${id}`, "avatar").replace("%2F", "/"),
    // `avatar://localhost/<id>`, or `http://avatar.localhost/<id>` where the webview knows no other schemes.
    avatar: (user, version) => `${convertFileSrc(user, "avatar")}?v=${version}`,
  };
}
