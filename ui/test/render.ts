import { cleanup, render } from "@testing-library/svelte";
import { tick } from "svelte";
import { afterEach } from "vitest";

import App from "../src/App.svelte";
import type { Call, Notice, Snapshot } from "../src/bindings";
import { scene, stillBridge, type FakeBridge, type Scene } from "../src/fake";
import { Store } from "../src/store.svelte";

afterEach(cleanup);

/** The interface with a scene in it, and the bridge to play the core's part. */
export async function show(
  what: Scene | Snapshot,
  label = "main",
  deaf = false,
): Promise<FakeBridge & { store: Store; first: Snapshot }> {
  const first = typeof what === "string" ? scene(what) : what;
  const bridge = stillBridge(first, label, deaf);
  const store = new Store();
  render(App, { bridge, store });
  await store.connect(bridge);
  await tick();
  bridge.commands.length = 0;
  return { ...bridge, store, first };
}

/** Changes the call, and waits until it is on screen. */
export async function changeCall(bridge: FakeBridge, call: Call): Promise<void> {
  bridge.change({ slice: "call", value: call });
  await tick();
}

/** Changes the notices, and waits until they are on screen. */
export async function changeNotices(bridge: FakeBridge, notices: Notice[]): Promise<void> {
  bridge.change({ slice: "notices", value: notices });
  await tick();
}

/** The element with a test id, which must be there. */
export function id<E extends HTMLElement = HTMLElement>(name: string): E {
  const found = maybe<E>(name);
  if (!found) throw new Error(`no element with data-testid="${name}"`);
  return found;
}

/** The element with a test id, if it is there. */
export function maybe<E extends HTMLElement = HTMLElement>(name: string): E | null {
  return document.querySelector<E>(`[data-testid="${name}"]`);
}

/** All elements with a test id. */
export function all(name: string): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(`[data-testid="${name}"]`)];
}
