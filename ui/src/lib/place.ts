import type { ChannelKind } from "../bindings";

/** A place as people call it: `#design`, or a person's name. */
export function placeName(place: { kind: ChannelKind | null; name: string }): string {
  return place.kind === "public" || place.kind === "private" ? `#${place.name}` : place.name;
}
