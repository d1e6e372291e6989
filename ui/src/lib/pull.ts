import { painterOn, picture, type Painter, type Picture } from "./paint";

/** What a puller needs of the core: the next picture, or nothing after a while. */
export type Source = (after: number, width: number, height: number) => Promise<ArrayBuffer>;

/** Wait after a failure, milliseconds. */
const PAUSE = 500;

/**
 * Asks for pictures one after the other and paints them. One request is under way at a time: whoever paints slowly gets
 * fewer pictures and never a queue. Stops, and frees everything, when the returned function is called.
 */
export function pull(
  canvas: HTMLCanvasElement,
  next: Source,
  viewport: () => [number, number],
  painted: (picture: Picture) => void = () => {},
): () => void {
  let stopped = false;
  let painter: Painter | undefined;
  const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
  const loop = async () => {
    let after = 0;
    let asked = "";
    while (!stopped) {
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = viewport().map((side) => Math.round(side * ratio)) as [number, number];
      // What changes is told for a picture of the same size only.
      if (asked !== `${width}x${height}`) after = 0;
      asked = `${width}x${height}`;
      try {
        const bytes = await next(after, width, height);
        if (stopped) break;
        const got = picture(bytes);
        if (!got) {
          // Nothing new within the core's patience, or nobody shares: it waits by itself.
          await wait(20);
          continue;
        }
        painter ??= painterOn(canvas);
        if (painter && !painter.draw(got)) {
          after = 0;
          continue;
        }
        after = got.number;
        painted(got);
      } catch {
        await wait(PAUSE);
      }
    }
    painter?.close();
  };
  void loop();
  return () => (stopped = true);
}
