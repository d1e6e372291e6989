import type { ParticipantRow } from "../bindings";
import { first } from "./format";
import { t } from "./i18n";

/** Who talks, in one line, and whose face stands for it. */
export interface Talking {
  line: string;
  /** Nobody does: the line is quiet. */
  quiet: boolean;
  face: ParticipantRow | undefined;
}

/** `last` is the session that spoke last: its face stays, so that the bar does not flicker in every pause. */
export function talking(people: readonly ParticipantRow[], last: string | undefined, direct: boolean): Talking {
  const speakers = people.filter((person) => person.speaking);
  const others = speakers.filter((person) => !person.me);
  const [one, other] = others;
  if (speakers.length > 2) return { line: t("call.talking.many", { n: speakers.length }), quiet: false, face: one };
  if (one && other) {
    const names = { name: first(one.name), other: first(other.name) };
    return { line: t("call.talking.two", names), quiet: false, face: one };
  }
  if (one) return { line: t("call.talking.one", { name: first(one.name) }), quiet: false, face: one };
  if (speakers[0]) return { line: t("call.talking.you"), quiet: false, face: speakers[0] };
  const face =
    people.find((person) => person.session === last) ?? people.find((person) => !person.me) ?? people[0];
  if (people.length <= 1) return { line: t(direct ? "call.alone.direct" : "call.alone"), quiet: true, face };
  return { line: t("call.quiet"), quiet: true, face };
}

/** Place in the queue of raised hands by session: 1 is first. */
export function hands(people: readonly ParticipantRow[]): Map<string, number> {
  const up = people
    .filter((person) => person.handRaisedAt !== null)
    .toSorted((a, b) => (a.handRaisedAt ?? 0) - (b.handRaisedAt ?? 0));
  return new Map(up.map((person, index) => [person.session, index + 1]));
}

/** The rows of a call with those of one person under each other, and for a person's further devices which one it is: 2, 3. */
export function byPerson(people: readonly ParticipantRow[]): { person: ParticipantRow; device: number }[] {
  const groups = new Map<string, ParticipantRow[]>();
  for (const person of people) {
    const rows = groups.get(person.user);
    if (rows) rows.push(person);
    else groups.set(person.user, [person]);
  }
  return [...groups.values()].flatMap((rows) => rows.map((person, index) => ({ person, device: index + 1 })));
}
