import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { isKnown, plain, sentence, t } from "./i18n";

describe("words", () => {
  it("has a sentence for every code of the core", () => {
    const rust = readFileSync("../src-tauri/crates/core/src/notice.rs", "utf8");
    const codes = [...rust.matchAll(/\("([a-z_]+\.[a-z_]+)", Severity::/g)].map((match) => match[1] ?? "");
    expect(codes.length).toBeGreaterThan(40);
    expect(codes.filter((code) => !isKnown(code))).toEqual([]);
  });

  it("fills the blanks", () => {
    expect(plain("link.lost", { server: "a.example", seconds: 4 })).toBe("No connection to a.example. Next try in 4 s.");
    expect(sentence("call.full", { n: "8", max: "8" })).toMatchObject({ lead: "This call is full.", rest: "8 of 8 are in it. Try again when somebody has left.", button: "Try again" });
  });

  it("leaves out what it has no value for, and never shows a blank", () => {
    expect(plain("call.media_timeout")).toBe("Sound could not get through. The server answered, but no sound path opened.");
    expect(plain("call.muted_by")).toBe("Somebody muted you.");
    expect(sentence("link.busy").rest).toBeUndefined();
  });

  it("says what the server said when it has no words for a code", () => {
    expect(plain("moon.phase", {}, "the moon is in the wrong phase")).toBe("the moon is in the wrong phase");
    expect(plain("moon.phase")).toBe("Something did not work.");
  });

  it("counts", () => {
    expect(t("people", { n: 1 })).toBe("1 person");
    expect(t("people", { n: 5 })).toBe("5 people");
  });

  it("does not take names for templates", () => {
    expect(plain("call.joined", { name: "{server} $& $1" })).toContain("$& $1");
  });
});
