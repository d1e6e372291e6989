import { describe, expect, it } from "vitest";

import { pull } from "./pull";

/** A picture of 4×2, whole, or with nothing changed. */
function message(number: number, whole: boolean): ArrayBuffer {
  const bytes = new ArrayBuffer(whole ? 16 + 12 : 16);
  const header = new DataView(bytes);
  [number, 4, 2, whole ? 0 : 1].forEach((value, at) => header.setUint32(at * 4, value, true));
  return bytes;
}

/** A canvas without a graphics card. */
function canvas(): HTMLCanvasElement {
  const plain = {
    canvas: {},
    createImageData: (width: number, height: number) => ({
      width,
      height,
      data: new Uint8ClampedArray(width * height * 4),
    }),
    putImageData: () => {},
  };
  return { getContext: (kind: string) => (kind === "2d" ? plain : null) } as unknown as HTMLCanvasElement;
}

/** Answers one after the other; tells what was asked, and stops after the last. */
async function asked(answers: ArrayBuffer[], viewport: (asked: number) => [number, number]): Promise<number[]> {
  const afters: number[] = [];
  await new Promise<void>((done) => {
    const stop = pull(
      canvas(),
      async (after) => {
        afters.push(after);
        const answer = answers[afters.length - 1];
        if (answer) return answer;
        stop();
        done();
        return new ArrayBuffer(0);
      },
      () => viewport(afters.length),
    );
  });
  return afters;
}

describe("pictures are asked for", () => {
  it("as changes of the one that is shown", async () => {
    expect(await asked([message(7, true), message(9, false)], () => [4, 2])).toEqual([0, 7, 9]);
  });

  it("whole when the place for them changes, or when the one before is not there", async () => {
    expect(await asked([message(7, true), message(9, true)], (times) => [4 + times, 2])).toEqual([0, 0, 0]);
    expect(await asked([message(7, false), message(8, true)], () => [4, 2])).toEqual([0, 0, 8]);
  });
});
