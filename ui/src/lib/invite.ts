/** A call as an entry for a calendar (iCalendar, RFC 5545): what is copied can be saved as an `.ics` file, or pasted. */

const HALF_HOUR = 30 * 60_000;

/** The next whole hour after a moment, Unix milliseconds: when nothing else is said, calls are for then. */
export function nextHour(now: number): number {
  return Math.ceil((now + 1) / (2 * HALF_HOUR)) * 2 * HALF_HOUR;
}

/** The entry. `begins` and `now`: Unix milliseconds; it lasts half an hour. */
export function invite(title: string, link: string, begins: number, now: number): string {
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Halloo//Halloo//EN",
    "BEGIN:VEVENT",
    // The same call at the same time is the same entry, however often it is added.
    `UID:${text(`${begins}-${link}`)}`,
    `DTSTAMP:${moment(now)}`,
    `DTSTART:${moment(begins)}`,
    `DTEND:${moment(begins + HALF_HOUR)}`,
    `SUMMARY:${text(title)}`,
    `LOCATION:${text(link)}`,
    `DESCRIPTION:${text(link)}`,
    `URL:${link.replace(/[\r\n]/g, "")}`,
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return `${lines.map(folded).join("\r\n")}\r\n`;
}

/** `20260311T092400Z` (RFC 5545, 3.3.5, form 2). */
function moment(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** Text as a value (3.3.11): nothing in it ends the line or the list. */
function text(value: string): string {
  return value.replace(/[\\;,]/g, "\\$&").replace(/\r\n|\r|\n/g, "\\n").replace(/\p{Cc}/gu, "");
}

/** Lines of at most 75 octets; what follows begins with a blank (3.1). */
function folded(line: string): string {
  let out = "";
  let octets = 0;
  for (const letter of line) {
    const more = new TextEncoder().encode(letter).length;
    if (octets + more > 75) {
      out += "\r\n ";
      octets = 1;
    }
    out += letter;
    octets += more;
  }
  return out;
}
