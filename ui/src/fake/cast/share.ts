/** Screens that are shared. */
import type { Share, SharePicker } from "../../bindings";

/** Nobody shares. */
export const noShare: Share = { picker: null, ours: { state: "off" }, presenter: null, allowed: true, sound: false, volume: 100, locked: false };

/** What could be shared. */
export const picker: SharePicker = {
  loading: false,
  sources: [
    { id: "screen:0", name: "", kind: "screen", width: 2560, height: 1440 },
    { id: "screen:1", name: "", kind: "screen", width: 1920, height: 1080 },
    { id: "window:0x1", name: "resume.rs – Editor", kind: "window", width: 1200, height: 900 },
    { id: "window:0x2", name: "Crash dashboard – Browser", kind: "window", width: 1400, height: 900 },
    { id: "window:0x3", name: "alice@desk: ~/halloo", kind: "window", width: 900, height: 600 },
    { id: "window:0x4", name: "Release 2.9 – Slides", kind: "window", width: 1280, height: 720 },
  ],
  problem: null,
  sound: true,
};

/** What could be shared under Wayland. */
export const portals: SharePicker = {
  loading: false,
  sources: [
    { id: "portal", name: "", kind: "portal", width: 0, height: 0 },
    { id: "portal:choose", name: "", kind: "portal", width: 0, height: 0 },
  ],
  problem: null,
  sound: false,
};

/** We share. */
export function sharing(source: string, motion: boolean): Share {
  const name = picker.sources.find((one) => one.id === source)?.name ?? "";
  return {
    ...noShare,
    ours: { state: "on", source, name, motion, sound: false, paused: false, width: 2560, height: 1440 },
    presenter: "session-alice",
  };
}

/** A picture of a shared screen: stripes that stand in for text. */
export async function frame(after: number): Promise<ArrayBuffer> {
  if (after > 0) await new Promise((done) => setTimeout(done, 200));
  const [width, height] = [640, 360];
  const bytes = new ArrayBuffer(16 + (width * height * 3) / 2);
  const header = new DataView(bytes);
  [after + 1, width, height].forEach((value, at) => header.setUint32(at * 4, value, true));
  const luma = new Uint8Array(bytes, 16, width * height);
  luma.forEach((_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const text = y % 14 > 4 && y % 14 < 10 && x > 30 && x < 600 - ((y * 37) % 260) && (x + y) % 9 > 2;
    luma[at] = y < 24 ? 90 : text ? 60 : 225;
  });
  new Uint8Array(bytes, 16 + width * height).fill(128);
  return bytes;
}

/** A small picture of a source. */
export async function thumbnail(): Promise<ArrayBuffer> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 200];
  const brush = canvas.getContext("2d");
  if (!brush) throw new Error("no canvas");
  brush.fillStyle = "#e9eff0";
  brush.fillRect(0, 0, 320, 200);
  brush.fillStyle = "#6b8a90";
  for (let line = 0; line < 10; line++) brush.fillRect(20, 20 + line * 17, 80 + ((line * 53) % 190), 7);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  return blob ? blob.arrayBuffer() : new ArrayBuffer(0);
}
