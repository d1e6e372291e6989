import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";

import * as cast from "../src/fake/cast";
import { all, id, maybe, show } from "./render";

const posts = () => all("post-row");
const at = (index: number) => {
  const found = posts()[index];
  if (!found) throw new Error(`no post ${index}`);
  return found;
};

describe("a message", () => {
  it("shows its reactions, and takes and gives one by a click", async () => {
    const bridge = await show("rich");
    const [eyes, tada, own] = all("reaction");
    expect(eyes?.getAttribute("aria-pressed")).toBe("true");
    expect(eyes?.getAttribute("aria-label")).toContain("Alice Moreau, Carol Okafor, and Dave Lindqvist");
    expect(own?.querySelector("img")).toBeTruthy();
    await fireEvent.click(eyes!);
    await fireEvent.click(tada!);
    const post = at(0).dataset["post"] ?? "";
    expect(bridge.commands).toEqual([
      { type: "react", post, emoji: "eyes", on: false },
      { type: "react", post, emoji: "tada", on: true },
    ]);
  });

  it("has its tools only where somebody is", async () => {
    await show("rich");
    expect(all("post-actions")).toHaveLength(0);
    await fireEvent.pointerEnter(at(0));
    expect(all("post-actions")).toHaveLength(1);
    await fireEvent.pointerLeave(at(0));
    expect(all("post-actions")).toHaveLength(0);
  });

  it("opens its thread", async () => {
    const bridge = await show("rich");
    await fireEvent.click(id("post-thread"));
    expect(bridge.commands).toEqual([{ type: "openThread", channel: "release", root: at(0).dataset["post"] }]);
  });

  it("is changed in place, by menu and by the arrow up", async () => {
    const bridge = await show("rich");
    const user = userEvent.setup();
    id("composer-input").focus();
    await user.keyboard("{ArrowUp}");
    const field = id<HTMLTextAreaElement>("post-edit-input");
    expect(field.value).toContain("Shipping rc2");
    await user.clear(field);
    await user.type(field, "Shipping rc3.{Enter}");
    expect(bridge.commands.filter((one) => one.type === "editPost")).toEqual([{ type: "editPost", post: at(3).dataset["post"], text: "Shipping rc3." }]);
    expect(maybe("post-edit-input")).toBeNull();
    await fireEvent.pointerEnter(at(3));
    await user.click(id("post-more"));
    await user.click(id("post-edit"));
    await user.keyboard("{Escape}");
    expect(maybe("post-edit-input")).toBeNull();
  });

  it("is deleted only after a question, and only where it may be", async () => {
    const bridge = await show("rich");
    const user = userEvent.setup();
    await fireEvent.pointerEnter(at(0));
    await user.click(id("post-more"));
    expect(maybe("post-delete")).toBeNull();
    await user.keyboard("{Escape}");
    await fireEvent.pointerLeave(at(0));
    await fireEvent.pointerEnter(at(3));
    await user.click(id("post-more"));
    await user.click(id("post-delete"));
    expect(bridge.commands.some((one) => one.type === "deletePost")).toBe(false);
    await user.click(id("remove-go"));
    expect(bridge.commands.at(-1)).toEqual({ type: "deletePost", post: at(3).dataset["post"] });
  });

  it("shows pictures, and saves files without opening them", async () => {
    const bridge = await show("rich");
    expect(id("file-picture").querySelector("img")?.getAttribute("style")).toContain("aspect-ratio: 640 / 400");
    await fireEvent.click(id("file-download"));
    expect(bridge.commands).toEqual([{ type: "saveFile", file: "file2", name: "trace-2026-11-22-with-a-rather-long-name.json.gz" }]);
  });

  it("draws tables and code from a tree", async () => {
    await show("rich");
    const table = at(0).querySelector("table");
    expect(table?.querySelectorAll("th")).toHaveLength(4);
    expect(table?.querySelector("tbody tr:nth-child(2) td:nth-child(3) strong")?.textContent).toBe("412 ms");
    expect(at(1).querySelector("pre .word")?.textContent).toBe("fn");
  });
});

describe("the thread", () => {
  it("stands beside the channel, is followed, and closes by Escape", async () => {
    const bridge = await show("thread");
    const user = userEvent.setup();
    expect(id("thread-panel").querySelectorAll('[data-testid="post-row"]')).toHaveLength(4);
    expect(id("thread-follow").getAttribute("aria-pressed")).toBe("true");
    await user.click(id("thread-follow"));
    await user.type(id("reply-input"), "Yes{Enter}");
    expect(bridge.commands.filter((one) => one.type !== "typing")).toEqual([
      { type: "followThread", root: cast.thread.root, on: false },
      { type: "sendPost", channel: "release", root: cast.thread.root, text: "Yes" },
    ]);
    await user.keyboard("{Escape}");
    expect(bridge.commands.at(-1)).toEqual({ type: "closeThread" });
  });
});

describe("writing", () => {
  it("says who is typing, and that we are", async () => {
    const bridge = await show("rich");
    expect(id("typing").textContent).toBe("Bob and Carol are typing…");
    await userEvent.setup().type(id("composer-input"), "h");
    expect(bridge.commands).toContainEqual({ type: "typing", channel: "release", root: null });
  });

  it("offers people, and Tab takes one", async () => {
    await show("main");
    const user = userEvent.setup();
    const field = id<HTMLTextAreaElement>("composer-input");
    await user.type(field, "hi @car");
    expect(all("suggestion")).toHaveLength(1);
    await user.keyboard("{Tab}");
    expect(field.value).toBe("hi @carol ");
    expect(maybe("suggestions")).toBeNull();
    await user.type(field, ":tad");
    await user.keyboard("{Enter}");
    expect(field.value).toBe("hi @carol :tada: ");
    await user.type(field, "@bo");
    await user.keyboard("{Escape}");
    expect(maybe("suggestions")).toBeNull();
  });

  it("attaches by button, paste and drop", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    const file = (name: string) => new File(["x"], name, { type: "text/plain" });
    await user.upload(id<HTMLInputElement>("attach-input"), [file("a.txt"), file("b.txt")]);
    await fireEvent.paste(id("composer-input"), { clipboardData: { files: [file("c.png")] } });
    await fireEvent.drop(window, { dataTransfer: { files: [file("d.txt")], types: ["Files"] } });
    expect(bridge.attached.map((one) => one.name)).toEqual(["a.txt", "b.txt", "c.png", "d.txt"]);
  });

  it("waits for its files, and can stop them", async () => {
    const bridge = await show("rich");
    await userEvent.setup().type(id("composer-input"), "with files{Enter}");
    expect(bridge.commands.some((one) => one.type === "sendPost")).toBe(false);
    expect(all("upload").map((one) => one.dataset["state"])).toEqual(["done", "sending", "failed"]);
    expect(document.querySelector("progress")?.value).toBe(39);
    await fireEvent.click(all("upload-remove")[1]!);
    expect(bridge.commands.at(-1)).toEqual({ type: "removeUpload", upload: 2 });
    bridge.change({ slice: "compose", value: { ...cast.uploading, uploads: { release: cast.uploading.uploads["release"]?.slice(0, 1) ?? [] } } });
    await tick();
    await fireEvent.click(id("composer-send"));
    expect(bridge.commands.at(-1)).toEqual({ type: "sendPost", channel: "release", root: null, text: "with files" });
  });
});

describe("the channel list", () => {
  it("is grouped as the person has it, and folds", async () => {
    const bridge = await show("main");
    expect(all("category").map((one) => one.textContent?.trim())).toEqual(["Favourites", "Channels", "Direct messages"]);
    await fireEvent.click(all("category")[2]!);
    expect(bridge.commands).toEqual([{ type: "foldCategory", category: "dm", folded: true }]);
    const { directory } = bridge.first;
    bridge.change({ slice: "directory", value: { ...directory, categories: directory.categories.map((one) => ({ ...one, folded: true })) } });
    await tick();
    // What wants to be seen is seen, folded or not.
    const shown = all("channel-row").map((one) => one.dataset["channelName"]);
    expect(shown).toContain("incident-room");
    expect(shown).toContain("release-2-9");
    expect(shown).not.toContain("design");
  });

  it("changes a channel from its head", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    await user.click(id("channel-menu"));
    await user.click(id("channel-favorite"));
    await user.click(id("channel-menu"));
    await user.click(id("channel-mute"));
    expect(bridge.commands).toEqual([
      { type: "setFavorite", channel: "release", on: false },
      { type: "muteChannel", channel: "release", on: true },
    ]);
  });

  it("allows calls in a channel, or no more, where that is ours to say", async () => {
    const { first, ...bridge } = await show("main");
    await fireEvent.click(id("channel-menu"));
    expect(maybe("channel-calls")).toBeNull();
    for (const [callsAllowed, words] of [[true, "Allow no calls here"], [false, "Allow calls here"]] as const) {
      const channels = first.directory.channels.map((row) => (row.id === "release" ? { ...row, callsAllowed } : row));
      bridge.change({ slice: "directory", value: { ...first.directory, channels } });
      await tick();
      if (maybe("channel-calls") === null) await fireEvent.click(id("channel-menu"));
      expect(id("channel-calls").textContent).toBe(words);
      await fireEvent.click(id("channel-calls"));
      expect(bridge.commands.at(-1)).toEqual({ type: "allowCalls", channel: "release", on: !callsAllowed });
    }
  });

  it("finds people without a conversation, and channels to join", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    await user.keyboard("{Control>}k{/Control}");
    await user.type(id("jump-input"), "er");
    bridge.change({ slice: "finder", value: { text: "er", busy: false, people: ["erin", "bob"], channels: [{ id: "errors", name: "errors" }] } });
    await tick();
    const rows = all("jump-row").map((one) => one.textContent?.replace(/\s+/g, " ").trim() ?? "");
    expect(rows.some((one) => one.includes("Erin Walsh"))).toBe(true);
    expect(rows.some((one) => one.includes("errors"))).toBe(true);
    await fireEvent.pointerUp(all("jump-row").find((one) => one.textContent?.includes("errors"))!);
    expect(bridge.commands.at(-1)).toEqual({ type: "joinChannel", channel: "errors" });
  });

  it("writes to one person or to some", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    await user.click(id("new-message"));
    await user.type(id("new-input"), "carol{Enter}");
    await user.type(id("new-input"), "dave{Enter}");
    await user.click(id("new-open"));
    expect(bridge.commands.at(-1)).toEqual({ type: "openGroup", users: ["carol", "dave"] });
    expect(maybe("new-dialog")).toBeNull();
  });
});
