import { createContext } from "svelte";

import type { ChannelRow, Command, Compose, CustomEmoji, Directory, Person, ServerRow, Share, Trust } from "../bindings";
import type { Bridge } from "../bridge";

/** What every component may do without being handed it: ask the core, open a link, find a picture, attach a file. */
export interface App extends Pick<Bridge, "openLink" | "openLogs" | "openPrivacy" | "avatar" | "attach" | "filePart" | "image" | "nextFrame" | "thumbnail" | "window" | "onSettings" | "fit"> {
  /** What a composer needs to know, as it is now. */
  readonly writing: { compose: Compose; directory: Directory; emoji: readonly CustomEmoji[]; online: boolean };
  /** The person's servers, as they are now; none while there is but one. */
  readonly servers: readonly ServerRow[];
  /** What the server of our call may do on this computer; without a call, the one that is shown. */
  readonly trust: Trust;
  /** Shared screens, as they are now. */
  readonly share: Share;
  /** The direct channel with somebody, if there is one. */
  direct(user: string): ChannelRow | undefined;
  /** Somebody, if known. */
  person(user: string): Person | undefined;
  /** Address of the picture of an emoji of the server's own, by its name. */
  emoji(name: string): string | undefined;
  /** The newest part of the log, without secrets; nothing if there is none. */
  readLog(): Promise<string | undefined>;
  /** Puts it among the downloads; says where, or nothing if that failed. */
  saveLog(): Promise<string | undefined>;
  /** A person's wish. Resolves to whether the core has taken it; what comes of it arrives as patches. */
  dispatch(command: Command): Promise<boolean>;
}

export const [useApp, provideApp] = createContext<App>();
