import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Drafts } from "./drafts.svelte";

describe("drafts", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("saves after a pause, and at once on the way out", () => {
    const save = vi.fn();
    const drafts = new Drafts(save, 400);
    drafts.type("a", "h", "");
    drafts.type("a", "hi", "");
    expect(save).not.toHaveBeenCalled();
    vi.advanceTimersByTime(400);
    expect(save.mock.calls).toEqual([["a", "hi"]]);
    drafts.type("b", "yo", "");
    drafts.flushAll();
    expect(save).toHaveBeenLastCalledWith("b", "yo");
    drafts.flush("b");
    vi.advanceTimersByTime(1_000);
    expect(save).toHaveBeenCalledTimes(2);
  });

  it("knows what was typed here better than the core does, until both agree", () => {
    const drafts = new Drafts(() => undefined, 400);
    expect(drafts.text("a", "kept")).toBe("kept");
    drafts.type("a", "typed", "kept");
    drafts.heard("a", "kept", true);
    expect(drafts.text("a", "kept")).toBe("typed");
    drafts.flush("a");
    drafts.heard("a", "typed");
    expect(drafts.text("a", "changed elsewhere")).toBe("changed elsewhere");
  });

  it("takes no late echo for news", () => {
    const drafts = new Drafts(() => undefined, 400);
    drafts.type("a", "o", "");
    drafts.flush("a");
    drafts.type("a", "on", "");
    drafts.flush("a");
    drafts.type("a", "one", "");
    drafts.heard("a", "o");
    drafts.heard("a", "on");
    expect(drafts.text("a", "on")).toBe("one");
  });

  it("is empty after sending, although the core's word is still on its way, and saves nothing more", () => {
    const save = vi.fn();
    const drafts = new Drafts(save, 400);
    drafts.type("a", "text", "");
    drafts.sent("a");
    expect(drafts.text("a", "text")).toBe("");
    drafts.heard("a", "text", true);
    expect(drafts.text("a", "text")).toBe("");
    vi.advanceTimersByTime(2_000);
    expect(save).not.toHaveBeenCalled();
    expect(drafts.text("a", "")).toBe("");
  });

  it("shows what the core gives back, even if its draft never changed", () => {
    const drafts = new Drafts(() => undefined, 400);
    drafts.type("a", "too long", "");
    drafts.flush("a");
    drafts.heard("a", "too long");
    drafts.sent("a");
    vi.advanceTimersByTime(1_000);
    expect(drafts.text("a", "too long")).toBe("too long");
  });

  it("puts what is given back before what was typed since, once", () => {
    const save = vi.fn();
    const drafts = new Drafts(save, 400);
    drafts.type("a", "/x", "");
    drafts.sent("a");
    drafts.type("a", "ne", "");
    drafts.flush("a");
    drafts.type("a", "next", "ne");
    drafts.heard("a", "/x\nne");
    expect(drafts.text("a", "/x\nne")).toBe("/x\nnext");
    drafts.heard("a", "/x\nne");
    vi.advanceTimersByTime(400);
    expect(save).toHaveBeenLastCalledWith("a", "/x\nnext");
    drafts.heard("a", "/x\nnext");
    expect(drafts.text("a", "/x\nnext")).toBe("/x\nnext");
  });
});
