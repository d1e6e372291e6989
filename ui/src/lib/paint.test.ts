import { describe, expect, it } from "vitest";

import { colours, painterOn, picture, type Picture } from "./paint";

function message(number: number, width: number, height: number, length: number): ArrayBuffer {
  const bytes = new ArrayBuffer(length);
  const header = new DataView(bytes);
  [number, width, height].forEach((value, at) => {
    if (length >= at * 4 + 4) header.setUint32(at * 4, value, true);
  });
  return bytes;
}

describe("a message with a picture", () => {
  it("is read with its three planes, odd sizes too", () => {
    const read = picture(message(7, 5, 3, 16 + 15 + 2 * 6));
    expect(read).toMatchObject({ number: 7, width: 5, height: 3 });
    expect(read?.planes.map((plane) => plane.length)).toEqual([15, 6, 6]);
  });

  it("is nothing when it is empty, short or long", () => {
    for (const length of [0, 15, 16, 16 + 15 + 2 * 6 - 1, 16 + 15 + 2 * 6 + 1])
      expect(picture(message(7, 5, 3, length))).toBeUndefined();
    expect(picture(message(1, 0, 0, 16))).toBeUndefined();
  });
});

/** One colour all over, in the numbers of BT.601 with limited range. */
function flat(width: number, height: number, y: number, u: number, v: number): Picture {
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
  return {
    number: 1,
    width,
    height,
    planes: [
      new Uint8Array(width * height).fill(y),
      new Uint8Array(chroma).fill(u),
      new Uint8Array(chroma).fill(v),
    ],
  };
}

describe("colours without a graphics card", () => {
  // Bars of ITU-R BT.601, limited range, and what they look like.
  it.each([
    ["black", [16, 128, 128], [0, 0, 0]],
    ["white", [235, 128, 128], [255, 255, 255]],
    ["grey", [126, 128, 128], [128, 128, 128]],
    ["red", [81, 90, 240], [254, 0, 0]],
    ["green", [145, 54, 34], [0, 255, 1]],
    ["blue", [41, 240, 110], [0, 0, 255]],
    ["more than white", [255, 128, 128], [255, 255, 255]],
    ["less than black", [0, 128, 128], [0, 0, 0]],
  ] as const)("are right for %s", (_, [y, u, v], seen) => {
    const rgba = new Uint8ClampedArray(5 * 3 * 4);
    colours(flat(5, 3, y, u, v), rgba);
    for (let at = 0; at < rgba.length; at += 4) {
      seen.forEach((value, channel) => expect(Math.abs(rgba[at + channel]! - value)).toBeLessThanOrEqual(1));
      expect(rgba[at + 3]).toBe(255);
    }
  });

  it("change every second pixel and row", () => {
    const halves = flat(4, 4, 126, 128, 128);
    halves.planes[2].set([240, 16, 16, 240]);
    const rgba = new Uint8ClampedArray(4 * 4 * 4);
    colours(halves, rgba);
    const reds = Array.from({ length: 16 }, (_, at) => (rgba[at * 4] === 255 ? "r" : ".")).join("");
    expect(reds).toBe("rr..rr....rr..rr");
  });

  it("are painted where the page has no WebGL, in the size of the picture", () => {
    const shown: [number, number, number][] = [];
    const canvas = { width: 0, height: 0 };
    const plain = {
      canvas,
      createImageData: (width: number, height: number) => ({
        width,
        height,
        data: new Uint8ClampedArray(width * height * 4),
      }),
      putImageData: (image: ImageData) => shown.push([image.width, image.height, image.data[0]!]),
    };
    const painter = painterOn({
      getContext: (kind: string) => (kind === "2d" ? plain : null),
    } as unknown as HTMLCanvasElement);
    painter?.draw(flat(6, 4, 235, 128, 128));
    painter?.draw(flat(2, 2, 16, 128, 128));
    expect(shown).toEqual([
      [6, 4, 255],
      [2, 2, 0],
    ]);
    expect(canvas).toEqual({ width: 2, height: 2 });
  });
});
