import { createContext } from "svelte";

import type { Command, Share } from "../bindings";
import type { Bridge } from "../bridge";

/** What every component may do without being handed it: ask the core, open a link, find a portrait. */
export interface App extends Pick<Bridge, "openLink" | "avatar" | "nextFrame" | "thumbnail" | "window" | "fit"> {
  /** Shared screens, as they are now. */
  readonly share: Share;
  /** A person's wish. Resolves to whether the core has taken it; what comes of it arrives as patches. */
  dispatch(command: Command): Promise<boolean>;
}

export const [useApp, provideApp] = createContext<App>();
