import { mount } from "svelte";

import App from "./App.svelte";
import { tauriBridge, type Bridge } from "./bridge";
import { dress, PLAIN } from "./lib/theme";
import { Store } from "./store.svelte";
import "./styles/tokens.css";
import "./styles/base.css";

/** Where scrollbars float above the page they fade, and WebKitGTK paints the whole page for each step of that. */
function keepScrollbarsStill(): void {
  const webKitGtk = navigator.userAgent.includes("Linux") && !navigator.userAgent.includes("Chrome");
  document.documentElement.toggleAttribute("data-still-scrollbars", webKitGtk);
}

async function start(): Promise<void> {
  keepScrollbarsStill();
  // Not a blink of white before the core has said how it is to look.
  dress(document.documentElement, PLAIN)();
  const bridge: Bridge = import.meta.env.MODE === "demo" ? (await import("./fake")).fakeBridge(location.search) : tauriBridge();
  const store = new Store();
  mount(App, { target: document.body, props: { bridge, store } });
  await store.connect(bridge);
}

void start();
