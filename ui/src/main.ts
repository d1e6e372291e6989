import { mount } from "svelte";

import App from "./App.svelte";
import { tauriBridge, type Bridge } from "./bridge";
import { dress, PLAIN } from "./lib/theme";
import { Store } from "./store.svelte";
import "./styles/tokens.css";
import "./styles/base.css";

async function start(): Promise<void> {
  // Not a blink of white before the core has said how it is to look.
  dress(document.documentElement, PLAIN)();
  const bridge: Bridge = import.meta.env.MODE === "demo" ? (await import("./fake")).fakeBridge(location.search) : tauriBridge();
  const store = new Store();
  mount(App, { target: document.body, props: { bridge, store } });
  await store.connect(bridge);
}

void start();
