/** Files that are heard or seen in time: what is played here, and its bytes, which the core fetches part by part. */
import type { File } from "../bindings";
import type { App } from "./app";

/**
 * What a media element is told that a file is, by the end of its name. What the server says of it counts for nothing, and
 * nothing here is ever read as a page or a drawing.
 */
const KINDS: Record<string, string> = {
  mp4: "video/mp4", m4v: "video/mp4", mov: "video/mp4", webm: "video/webm", ogv: "video/ogg",
  mp3: "audio/mpeg", m4a: "audio/mp4", aac: "audio/aac", ogg: "audio/ogg", oga: "audio/ogg", opus: "audio/ogg", wav: "audio/wav", flac: "audio/flac",
};

/** Largest file that is played here, bytes: while it plays the webview has all of it in memory. */
export const LARGEST = 256 * 1024 * 1024;
/** Largest file of subtitles, bytes: an hour of talk is a tenth of it. */
const LARGEST_TEXT = 1024 * 1024;

/** What a file is played as; nothing if it is no sound or film. */
export function kindOf(file: Pick<File, "extension">): string | undefined {
  return Object.hasOwn(KINDS, file.extension) ? KINDS[file.extension] : undefined;
}

/** The webview has something that may read it. */
export function readable(kind: string): boolean {
  return document.createElement("video").canPlayType(kind) !== "";
}

/** All of a file. `told` hears which share of it is here. Throws if it does not come, or nobody waits for it any more. */
export async function whole(app: Pick<App, "filePart">, file: File, kind: string, gone: AbortSignal, told: (share: number) => void): Promise<Blob> {
  // Each part is handed to the browser at once, which keeps it out of the page's own memory.
  const parts: Blob[] = [];
  let here = 0;
  while (here < file.size) {
    const part = await app.filePart(file.id, here);
    gone.throwIfAborted();
    here += part.byteLength;
    if (part.byteLength === 0 || here > LARGEST) throw new Error("not the file that was announced");
    parts.push(new Blob([part]));
    told(Math.min(1, here / file.size));
  }
  return new Blob(parts, { type: kind });
}

/** A file of subtitles. Throws if it does not come, or is none. */
export async function subtitles(app: Pick<App, "filePart">, file: string): Promise<Blob> {
  const text = await app.filePart(file, 0);
  // What is longer was cut by the core.
  if (text.byteLength >= LARGEST_TEXT) throw new Error("subtitles without end");
  return new Blob([text], { type: "text/vtt" });
}
