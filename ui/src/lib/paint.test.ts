import { describe, expect, it } from "vitest";

import { colours, painterOn, picture, type Band, type Picture } from "./paint";

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
    expect(read).toMatchObject({ whole: true, bands: [{ top: 0, bottom: 3 }] });
    expect(read?.bands[0]?.planes.map((plane) => plane.length)).toEqual([15, 6, 6]);
  });

  it("is nothing when it is empty, short or long", () => {
    for (const length of [0, 15, 16, 16 + 15 + 2 * 6 - 1, 16 + 15 + 2 * 6 + 1])
      expect(picture(message(7, 5, 3, length))).toBeUndefined();
    expect(picture(message(1, 0, 0, 16))).toBeUndefined();
  });

  /** A message with bands of a picture of 4×9, without anything in them. */
  function partly(bands: [number, number][], length: number): ArrayBuffer {
    const bytes = message(8, 4, 9, length);
    const header = new DataView(bytes);
    header.setUint32(12, bands.length + 1, true);
    bands.flat().forEach((value, at) => header.setUint32(16 + at * 4, value, true));
    return bytes;
  }

  it("may bring only some rows, or none", () => {
    const read = picture(partly([[2, 4], [8, 9]], 32 + 8 + 2 * 2 + 4 + 2 * 2)); // prettier-ignore
    expect(read).toMatchObject({ number: 8, whole: false });
    expect(read?.bands.map(({ top, bottom, planes }) => [top, bottom, ...planes.map((plane) => plane.length)])).toEqual([
      [2, 4, 8, 2, 2],
      [8, 9, 4, 2, 2],
    ]);
    expect(picture(partly([], 16))).toMatchObject({ whole: false, bands: [] });
  });

  it("is nothing when its rows are none of the picture's", () => {
    for (const [top, bottom] of [[4, 4], [6, 4], [3, 4], [8, 10]] as const) // prettier-ignore
      expect(picture(partly([[top, bottom]], 24 + 64))).toBeUndefined();
    expect(picture(partly([[2, 4]], 24 + 11))).toBeUndefined();
    const many = message(8, 4, 9, 40);
    new DataView(many).setUint32(12, 0xffffffff, true);
    expect(picture(many)).toBeUndefined();
  });
});

/** One colour all over, in the numbers of BT.601 with limited range. */
function flat(width: number, height: number, y: number, u: number, v: number): Picture {
  return { number: 1, width, height, whole: true, bands: [band(width, 0, height, y, u, v)] };
}

function band(width: number, top: number, bottom: number, y: number, u: number, v: number): Band {
  const chroma = Math.ceil(width / 2) * (Math.ceil(bottom / 2) - top / 2);
  return {
    top,
    bottom,
    planes: [
      new Uint8Array(width * (bottom - top)).fill(y),
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
    colours(5, band(5, 0, 3, y, u, v), rgba);
    for (let at = 0; at < rgba.length; at += 4) {
      seen.forEach((value, channel) => expect(Math.abs(rgba[at + channel]! - value)).toBeLessThanOrEqual(1));
      expect(rgba[at + 3]).toBe(255);
    }
  });

  it("change every second pixel and row", () => {
    const halves = band(4, 0, 4, 126, 128, 128);
    halves.planes[2].set([240, 16, 16, 240]);
    const rgba = new Uint8ClampedArray(4 * 4 * 4);
    colours(4, halves, rgba);
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

  it("are painted only in the rows that changed, onto a picture of the same size", () => {
    const shown: unknown[] = [];
    const image = { width: 4, height: 8, data: new Uint8ClampedArray(4 * 8 * 4) };
    const plain = {
      canvas: {},
      createImageData: () => image,
      putImageData: (_: unknown, ...where: number[]) => shown.push(where),
    };
    const painter = painterOn({
      getContext: (kind: string) => (kind === "2d" ? plain : null),
    } as unknown as HTMLCanvasElement);
    const part = { number: 2, width: 4, height: 8, whole: false, bands: [band(4, 2, 4, 16, 128, 128)] };
    expect(painter?.draw(part)).toBe(false);
    expect(painter?.draw(flat(4, 8, 235, 128, 128))).toBe(true);
    expect(painter?.draw(part)).toBe(true);
    expect(painter?.draw({ ...part, width: 6 })).toBe(false);
    expect(shown).toEqual([
      [0, 0, 0, 0, 4, 8],
      [0, 0, 0, 2, 4, 2],
    ]);
    const reds = Array.from({ length: 8 }, (_, row) => image.data[row * 16]);
    expect(reds).toEqual([255, 255, 0, 0, 255, 255, 255, 255]);
  });
});
