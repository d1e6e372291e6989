import { describe, expect, it } from "vitest";

import * as cast from "../fake/cast";
import { suggestions, trigger } from "./suggest";

const { directory, compose } = cast.snapshot();

describe("what is being typed", () => {
  it.each([
    ["hello @bo", { kind: "mention", from: 6, text: "@bo" }],
    ["(@c", { kind: "mention", from: 1, text: "@c" }],
    ["mail bob@example", undefined],
    ["so :ta", { kind: "emoji", from: 3, text: ":ta" }],
    ["at 10:30", undefined],
    ["see: x", undefined],
    ["/call st", { kind: "command", from: 0, text: "/call st" }],
    ["a /call", undefined],
  ])("%s", (text, expected) => {
    expect(trigger(text, text.length)).toEqual(expected);
  });
});

describe("what may follow", () => {
  const labels = (text: string, more = compose, custom: { name: string }[] = []) => {
    const asks = trigger(text, text.length);
    if (!asks) throw new Error("asks for nothing");
    return suggestions(asks, more, directory, custom, [{ name: "all", about: "" }]).map((one) => one.insert);
  };

  it("are people by any of their names, and everybody at once", () => {
    expect(labels("@bo")).toEqual(["@bob ", "@deploybot "]);
    expect(labels("@okaf")).toEqual(["@carol "]);
    expect(labels("@al")).toEqual(["@alice ", "@all "]);
  });

  it("are whom the server names, as soon as it has", () => {
    expect(labels("@e", { ...compose, text: "@e", people: ["erin"] })).toEqual(["@erin "]);
  });

  it("are emoji, the server's own among them", () => {
    expect(labels(":tad", compose)).toContain(":tada: ");
    expect(labels(":hallo", compose, [{ name: "halloo" }])).toContain(":halloo: ");
  });

  it("are commands only for what stands there", () => {
    const commands = [{ complete: "/call start", suggestion: "start", hint: "[title]", description: "" }];
    expect(labels("/call s", { ...compose, text: "/call s", commands })).toEqual(["/call start "]);
    expect(labels("/call st", { ...compose, text: "/call s", commands })).toEqual([]);
  });
});
