import { describe, expect, it } from "vitest";

import { invite, nextHour } from "./invite";

const at = Date.UTC(2026, 2, 11, 9, 24);

describe("an entry for a calendar", () => {
  it("is for the next whole hour, half an hour long, with the link where calendars show it", () => {
    const text = invite("Call: #standup", "https://chat.example/team/channels/abc?join_call=true", nextHour(at), at);
    expect(text.split("\r\n")).toEqual(
      expect.arrayContaining([
        "BEGIN:VCALENDAR",
        "DTSTAMP:20260311T092400Z",
        "DTSTART:20260311T100000Z",
        "DTEND:20260311T103000Z",
        "SUMMARY:Call: #standup",
        "URL:https://chat.example/team/channels/abc?join_call=true",
        "END:VCALENDAR",
      ]),
    );
    expect(text.endsWith("END:VCALENDAR\r\n")).toBe(true);
    expect(nextHour(Date.UTC(2026, 0, 1, 23, 0))).toBe(Date.UTC(2026, 0, 2));
  });

  it("holds any name: nothing in it becomes another line, and no line is too long", () => {
    const text = invite("a; b, c\\ d\nEND:VEVENT 会议会议会议会议会议会议会议会议会议会议会议会议", `https://chat.example/${"x".repeat(90)}`, at, at);
    expect(text.match(/^END:VEVENT/gm)).toHaveLength(1);
    expect(text.replace(/\r\n /g, "")).toContain("SUMMARY:a\\; b\\, c\\\\ d\\nEND:VEVENT 会议");
    for (const line of text.split("\r\n")) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
  });
});
