import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import type { Account } from "../src/bindings";
import { tick } from "svelte";
import * as cast from "../src/fake/cast";
import { all, changeNotices, id, maybe, show } from "./render";

describe("signing in", () => {
  const account = async (bridge: Awaited<ReturnType<typeof show>>, value: Account) => {
    bridge.change({ slice: "account", value });
    await tick();
  };

  it("asks for an address, looks, and says what is wrong with it until it is changed", async () => {
    const bridge = await show("address");
    const user = userEvent.setup();
    expect(id<HTMLButtonElement>("address-submit").disabled).toBe(true);
    await user.type(id("address-input"), " chat.harbor.example {Enter}");
    expect(bridge.commands).toEqual([{ type: "findServer", address: "chat.harbor.example" }]);

    await account(bridge, { phase: "finding", address: "chat.harbor.example" });
    expect(document.body.textContent).toContain("Looking for a Mattermost server…");
    expect(id<HTMLButtonElement>("address-submit").disabled).toBe(true);
    await user.click(document.querySelector(".quiet")!);
    expect(bridge.commands.at(-1)).toEqual({ type: "changeServer" });

    await account(bridge, { phase: "noServer" });
    await changeNotices(bridge, [cast.notice("server.none", "error")]);
    expect(id("notice").textContent).toContain("No server answers at this address.");
    expect(id("address-input").getAttribute("aria-invalid")).toBe("true");
    expect(id<HTMLInputElement>("address-input").value.trim()).toBe("chat.harbor.example");
    await user.type(id("address-input"), "x");
    expect(maybe("notice")).toBeNull();
  });

  it("shows a certificate that nobody vouches for, and trusts it only after it was compared", async () => {
    const bridge = await show("address-untrusted");
    const shown = cast.untrusted().values;
    expect(id("trust-fingerprint").textContent).toBe(shown["fingerprint"]);
    for (const part of ["chat.harbor.example", "Harbor Internal CA", "2027"]) expect(id("trust").textContent).toContain(part);
    expect(id("trust").textContent).toContain("really chat.harbor.example?");
    const submit = id<HTMLButtonElement>("trust-submit");
    expect(submit.disabled).toBe(true);
    await fireEvent.click(id("trust-sure"));
    expect(submit.disabled).toBe(false);
    await changeNotices(bridge, [{ ...cast.untrusted("server.changed"), values: { ...shown, host: "chat.harbor.example:8443", fingerprint: "00:".repeat(31) + "00" } }]);
    expect(id("trust").textContent).toContain("chat.harbor.example:8443 shows another certificate");
    expect(id<HTMLButtonElement>("trust-submit").disabled).toBe(true);
    await fireEvent.click(id("trust-sure"));
    await fireEvent.click(id("trust-submit"));
    expect(bridge.commands.at(-1)).toEqual({ type: "trustServer", host: "chat.harbor.example:8443", fingerprint: "00:".repeat(31) + "00" });
  });

  it("says what the server is, and warns when the way there is open", async () => {
    await show("sign-in");
    expect(document.body.textContent).toContain("Mattermost 11.4 · Calls 1.12 · encrypted");
    expect(document.body.textContent).not.toContain("not encrypted");
  });

  it("warns of http", async () => {
    await show("sign-in-insecure");
    expect(document.body.textContent).toContain("This connection is not encrypted.");
  });

  it("tells that a server has no calls before anybody signs in", async () => {
    await show("sign-in-no-calls");
    expect(document.body.textContent).toContain("No calls on this server.");
  });

  it("signs in with a password, keeps the name after a refusal, and says so beside the field", async () => {
    const bridge = await show("sign-in");
    const user = userEvent.setup();
    await user.type(id("login-input"), "alice");
    expect(id<HTMLButtonElement>("sign-in-submit").disabled).toBe(true);
    await user.type(id("password-input"), "secret");
    await user.click(id("sign-in-submit"));
    expect(bridge.commands).toEqual([{ type: "signIn", login: "alice", password: "secret", code: null }]);

    await account(bridge, { phase: "signingIn", server: cast.server, login: "alice" });
    expect(id<HTMLButtonElement>("sign-in-submit").disabled).toBe(true);
    await account(bridge, { phase: "signedOut", server: cast.server, login: "alice", codeNeeded: false, outside: false });
    await changeNotices(bridge, [cast.notice("account.wrong", "error")]);
    expect(id("notice").getAttribute("role")).toBe("alert");
    expect(id("notice").textContent).toContain("That did not match.");
    expect(id<HTMLInputElement>("login-input").value).toBe("alice");
  });

  it("shows the password only when asked", async () => {
    await show("sign-in");
    const field = id<HTMLInputElement>("password-input");
    expect(field.type).toBe("password");
    await fireEvent.click(document.querySelector('[aria-label="Show password"]')!);
    expect(field.type).toBe("text");
  });

  it("asks for the code when the server does, and sends it with the sixth digit", async () => {
    const bridge = await show("sign-in");
    const user = userEvent.setup();
    await user.type(id("login-input"), "alice");
    await user.type(id("password-input"), "secret{Enter}");
    await account(bridge, { phase: "signingIn", server: cast.server, login: "alice" });
    await account(bridge, { phase: "signedOut", server: cast.server, login: "alice", codeNeeded: true, outside: false });
    await changeNotices(bridge, [cast.notice("account.mfa_needed", "info")]);
    expect(maybe("notice")).toBeNull();
    await user.type(id("code-input"), "40 71");
    expect(bridge.commands).toHaveLength(1);
    await user.type(id("code-input"), "23");
    expect(bridge.commands.at(-1)).toEqual({ type: "signIn", login: "alice", password: "secret", code: "407123" });

    // While it is checked the step stays; a refused code is cleared.
    await account(bridge, { phase: "signingIn", server: cast.server, login: "alice" });
    expect(id<HTMLInputElement>("code-input").value).toBe("407123");
    await account(bridge, { phase: "signedOut", server: cast.server, login: "alice", codeNeeded: true, outside: false });
    await changeNotices(bridge, [cast.notice("account.bad_code", "error")]);
    expect(id<HTMLInputElement>("code-input").value).toBe("");
    expect(id("notice").textContent).toContain("That code did not match.");
  });

  it("takes an access token instead", async () => {
    const bridge = await show("sign-in");
    const user = userEvent.setup();
    await user.click(document.querySelector(".text")!);
    await user.type(id("token-input"), "abc{Enter}");
    expect(bridge.commands).toEqual([{ type: "signInWithToken", token: "abc" }]);
  });

  it("goes back to the address", async () => {
    const bridge = await show("sign-in");
    await fireEvent.click([...document.querySelectorAll("button")].find((one) => one.textContent === "Change")!);
    expect(bridge.commands).toEqual([{ type: "changeServer" }]);
  });

  it("gives way to the channels when signed in, and forgets the notice", async () => {
    const bridge = await show("sign-in-busy");
    bridge.change(
      { slice: "directory", value: cast.snapshot().directory },
      { slice: "account", value: cast.snapshot().account },
    );
    await tick();
    expect(all("channel-row").length).toBeGreaterThan(5);
  });
});
