/** The post of a recording, with something to play. */
import type { PostRow } from "../bindings";
import { callPost, MINUTE, post } from "./cast";

/** Samples a second, and seconds, of the tone that stands for all that is played. */
const RATE = 8_000;
const SECONDS = 30;
const VTT = "WEBVTT\n\n00:00.000 --> 00:04.000\n<v Bob>Rejoin is down to four hundred milliseconds.\n\n00:04.000 --> 00:08.000\n<v Carol>And that is on the slow link?\n";

/** A tone that swells, as a WAV file of 8 bits. */
function tone(): Uint8Array<ArrayBuffer> {
  const samples = RATE * SECONDS;
  const bytes = new Uint8Array(44 + samples);
  const view = new DataView(bytes.buffer);
  const text = (at: number, word: string) => [...word].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  // PCM, one channel.
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  text(36, "data");
  view.setUint32(40, samples, true);
  for (let n = 0; n < samples; n += 1) bytes[44 + n] = 128 + 40 * Math.sin((2 * Math.PI * 220 * n) / RATE) * Math.abs(Math.sin((2 * n) / RATE));
  return bytes;
}

let made: Uint8Array<ArrayBuffer> | undefined;

/** Part of any file: of subtitles by their name, of the tone by all others. */
export function partOf(file: string, from: number): ArrayBuffer {
  const bytes = file === "subtitles" ? new TextEncoder().encode(VTT) : (made ??= tone());
  return bytes.slice(from, from + 100_000).buffer;
}

const begun = new Date().setHours(9, 30, 0, 0);
const SIZE = 44 + RATE * SECONDS;
const none = { width: 0, height: 0, hasPreview: false };

/** A call that was recorded, its file with subtitles, and a voice message. */
export const recordedPosts: PostRow[] = [
  { ...callPost("bob", begun, begun + 26 * MINUTE, "Release gate", "ended", 1), kind: { type: "call", title: "Release gate", startAt: begun, endAt: begun + 26 * MINUTE, status: "ended", recordings: 1, transcripts: 1 } },
  post("deploybot", begun + 28 * MINUTE, "Here's the call recording", {
    kind: { type: "recording", subtitles: [{ title: "English", language: "en", file: "subtitles" }] },
    files: [{ id: "recording", name: "Call_Release_gate.mp4", extension: "mp4", mime: "video/mp4", size: SIZE, ...none }],
  }),
  post("carol", begun + 31 * MINUTE, "What I meant by slow:", {
    files: [
      { id: "voice", name: "slow link.wav", extension: "wav", mime: "audio/wav", size: SIZE, ...none },
      { id: "film", name: "whole day.webm", extension: "webm", mime: "video/webm", size: 900_000_000, ...none },
    ],
  }),
];
