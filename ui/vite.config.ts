import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

// The oldest webviews we run in: WebKitGTK 2.42, WKWebView of macOS 13, WebView2.
const targets = ["es2022", "safari16.4", "chrome110"];

export default defineConfig(({ mode }) => ({
  plugins: [svelte({ configFile: false }), svelteTesting()],
  // One folder for the program, another for the demo that runs in a plain browser.
  build: {
    outDir: mode === "demo" ? "dist-demo" : "dist",
    target: targets,
    modulePreload: { polyfill: false },
    // Everything is local: no file is worth a second request, none is inlined into another either.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { port: 5173, strictPort: true },
  test: {
    environment: "jsdom",
    // All of the machine: the runner itself, for which one core is left otherwise, has little to do. Threads begin quicker.
    pool: "threads",
    maxWorkers: "100%",
    // Generous: build machines are shared.
    testTimeout: 30_000,
    setupFiles: ["test/setup.ts"],
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
  },
}));
