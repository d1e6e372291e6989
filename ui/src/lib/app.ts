import { createContext } from "svelte";

import type { Bridge } from "../bridge";

/** What every component may do without being handed it: ask the core, open a link, find a portrait. */
export type App = Pick<Bridge, "dispatch" | "openLink" | "avatar">;

export const [useApp, provideApp] = createContext<App>();
