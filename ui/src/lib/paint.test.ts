import { describe, expect, it } from "vitest";

import { picture } from "./paint";

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
