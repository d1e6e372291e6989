import { describe, expect, it } from "vitest";

import type { Patch, Snapshot, TimelineChange } from "./bindings";
import type { Bridge } from "./bridge";
import * as cast from "./fake/cast";
import { stillBridge } from "./fake";
import { Store } from "./store.svelte";

const link = (revision: number, attempt: number): Patch => ({
  revision,
  slice: { slice: "link", value: { state: "lost", retryIn: 1, attempt } },
});
const attempt = (store: Store) => (store.link.state === "lost" ? store.link.attempt : store.link.state);

describe("the store", () => {
  it("listens before it asks, and keeps what came in between if it is newer", async () => {
    const order: string[] = [];
    let heard: (patch: Patch) => void = () => undefined;
    let answer: (snapshot: Snapshot) => void = () => undefined;
    const bridge: Bridge = {
      ...stillBridge(cast.snapshot()),
      onPatch: async (callback) => {
        order.push("listen");
        heard = callback;
        return () => order.push("stop");
      },
      snapshot: () => {
        order.push("ask");
        return new Promise((resolve) => (answer = resolve));
      },
    };
    const store = new Store();
    const connected = store.connect(bridge);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    heard(link(4, 4));
    heard(link(7, 7));
    expect(store.ready).toBe(false);
    answer({ ...cast.snapshot(), revision: 5, link: { state: "up" } });
    const stop = await connected;
    expect(order).toEqual(["listen", "ask"]);
    expect(attempt(store)).toBe(7);
    stop();
    expect(order).toEqual(["listen", "ask", "stop"]);
  });

  it("drops patches that are not newer", () => {
    const store = new Store();
    store.replace({ ...cast.snapshot(), revision: 10 });
    store.patch(link(10, 1));
    expect(attempt(store)).toBe("up");
    store.patch(link(12, 2));
    store.patch(link(11, 3));
    store.patch(link(12, 4));
    expect(attempt(store)).toBe(2);
  });

  it("takes two slices of one revision, in either order", () => {
    const store = new Store();
    store.replace({ ...cast.snapshot(), revision: 1 });
    store.patch(link(3, 1));
    store.patch({ revision: 3, slice: { slice: "notices", value: [cast.notice("link.lost", "warning")] } });
    store.patch({ revision: 2, slice: { slice: "devices", value: { ...cast.devices, input: "built-in" } } });
    expect(attempt(store)).toBe(1);
    expect(store.notices).toHaveLength(1);
    expect(store.devices.input).toBe("built-in");
  });

  it("keeps the rows that did not change", () => {
    const store = new Store();
    store.replace(cast.snapshot());
    const [first] = store.timeline.posts;
    const posts = [...(JSON.parse(JSON.stringify(store.timeline.posts)) as typeof store.timeline.posts), cast.post("bob", 1, "new")];
    store.patch({ revision: 2, slice: { slice: "timeline", value: { ...store.timeline, posts } } });
    expect(store.timeline.posts).toHaveLength(posts.length);
    expect(store.timeline.posts[0]).toBe(first);
  });

  it("takes what changed of a long timeline, and keeps the rest as it is", () => {
    const store = new Store();
    store.replace(cast.snapshot());
    const whole = { ...store.timeline };
    store.patch({ revision: 2, slice: { slice: "timeline", value: whole } });
    const before = store.timeline.posts;
    const meta = { ...whole, typing: ["Bob"] };
    const newer = cast.post("bob", 1, "new");
    expect(store.rows({ revision: 5, base: 2, head: before.length, tail: 0, timeline: { ...meta, posts: [newer] } })).toBe(true);
    expect(store.timeline.posts).toEqual([...before, newer]);
    expect(store.timeline.posts[0]).toBe(before[0]);
    expect(store.timeline.typing).toEqual(["Bob"]);
    // An edit in the middle, with everything else where it was.
    const edited = { ...before[1]!, message: "edited" };
    expect(store.rows({ revision: 6, base: 5, head: 1, tail: before.length - 1, timeline: { ...meta, posts: [edited] } })).toBe(true);
    expect(store.timeline.posts.map((post) => post.message)).toEqual([...before.map((post, at) => (at === 1 ? "edited" : post.message)), "new"]);
    // Nothing but a name: the posts stay the same list.
    const list = store.timeline.posts;
    expect(store.rows({ revision: 7, base: 6, head: list.length, tail: 0, timeline: { ...meta, typing: [], posts: [] } })).toBe(true);
    expect(store.timeline.posts).toBe(list);
  });

  it("asks for the whole when a change builds upon a timeline that it does not have", async () => {
    const first = cast.snapshot();
    let changed: (change: TimelineChange) => void = () => undefined;
    let asked = 0;
    const posts = [...first.timeline.posts, cast.post("bob", 1, "missed")];
    const bridge: Bridge = {
      ...stillBridge(first),
      onRows: async (heard) => ((changed = heard), () => undefined),
      snapshot: async () => (asked++ ? { ...first, revision: 9, timeline: { ...first.timeline, posts } } : first),
    };
    const store = new Store();
    await store.connect(bridge);
    changed({ revision: 8, base: 6, head: 1, tail: 0, timeline: { ...first.timeline, posts: [] } });
    await new Promise((done) => setTimeout(done));
    expect(asked).toBe(2);
    expect(store.timeline.posts.at(-1)?.message).toBe("missed");
  });

  it("starts over with a whole snapshot, even an older one after the core restarted", () => {
    const store = new Store();
    store.replace({ ...cast.snapshot(), revision: 50 });
    store.patch(link(60, 1));
    store.replace({ ...cast.snapshot(), revision: 1 });
    store.patch(link(2, 9));
    expect(attempt(store)).toBe(9);
  });

  it("forgets loudness when the call is over", () => {
    const store = new Store();
    store.replace(cast.inCall({}));
    store.levels = { input: 0.5, sessions: { x: 1 } };
    store.patch({ revision: 2, slice: { slice: "call", value: cast.snapshot().call } });
    expect(store.levels).toEqual({ input: 0, sessions: {} });
  });
});
