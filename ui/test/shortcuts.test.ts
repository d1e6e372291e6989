import { cleanup, fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import { changeCall, id, maybe, show } from "./render";

/** Control Alt R, by place: layouts write something else with AltGr. */
const record = () => fireEvent.keyDown(window, { code: "KeyR", key: "r", ctrlKey: true, altKey: true });

describe("keys in a call", () => {
  it.each(["main", "call", "stage"])("unfold the reactions by Control Shift X in every window: %s", async (label) => {
    const bridge = await show("live", label);
    const user = userEvent.setup();
    await user.keyboard("{Control>}{Shift>}X{/Shift}{/Control}");
    await user.click(id("react-tada"));
    expect(bridge.commands.filter((one) => one.type === "showEmoji")).toEqual([{ type: "showEmoji", name: "tada", literal: "🎉" }]);
    expect(id("react-button").getAttribute("aria-keyshortcuts")).toBe("Control+Shift+X");
    await user.keyboard("{Control>}{Shift>}X{/Shift}{/Control}");
    expect(maybe("react-tada")).toBeNull();
  });

  it("unfold no reactions outside a call", async () => {
    await show("main");
    await userEvent.keyboard("{Control>}{Shift>}X{/Shift}{/Control}");
    expect(maybe("react-tada")).toBeNull();
  });

  it("start the recording by Control Alt R, for whoever may, in every window", async () => {
    for (const label of ["main", "call", "stage"]) {
      const { first, ...bridge } = await show("host", label);
      await changeCall(bridge, { ...first.call, recording: null, canRecord: false });
      await record();
      expect(bridge.commands.filter((one) => one.type === "record")).toEqual([]);
      await changeCall(bridge, { ...first.call, recording: null });
      await record();
      expect(bridge.commands.filter((one) => one.type === "record")).toEqual([{ type: "record", on: true }]);
      cleanup();
    }
  });

  it("stop the recording by Control Alt R in the large window, after a question", async () => {
    const bridge = await show("host", "stage");
    await record();
    expect(bridge.commands).toEqual([]);
    await fireEvent.click(id("stop-recording-go"));
    expect(bridge.commands).toEqual([{ type: "record", on: false }]);
  });
});
