// Times, ages and lengths in words. Times are written as the reader's browser writes them.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Some browsers put a narrow space before PM, which few fonts have in the width of figures. */
const plain = (text: string) => text.replaceAll("\u202f", " ");

/** `2:30 PM`; of another day `Nov 20, 2:30 PM`. Empty for what is no time. */
export function clock(iso: string, now: number = Date.now(), locale?: string, timeZone?: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  const zone = timeZone === undefined ? {} : { timeZone };
  const time = { hour: "numeric", minute: "2-digit", ...zone } as const;
  const day = new Intl.DateTimeFormat("en-CA", { dateStyle: "short", ...zone });
  const today = day.format(at) === day.format(now);
  const options = today ? time : ({ month: "short", day: "numeric", ...time } as const);
  return plain(new Intl.DateTimeFormat(locale, options).format(at));
}

/** `Nov 20, 2026, 2:30 PM`. */
export function dateTime(iso: string, locale?: string, timeZone?: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  const zone = timeZone === undefined ? {} : { timeZone };
  return plain(
    new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", ...zone }).format(at),
  );
}

/** `just now`, `1 minute ago`, `12 minutes ago`, `3 hours ago`, `2 days ago`. Clocks that differ never give the future. */
export function ago(iso: string, now: number): string {
  const age = now - Date.parse(iso);
  if (Number.isNaN(age)) return "";
  if (age < MINUTE) return "just now";
  if (age < HOUR) return count(Math.floor(age / MINUTE), "minute");
  if (age < DAY) return count(Math.floor(age / HOUR), "hour");
  return count(Math.floor(age / DAY), "day");
}

const count = (n: number, unit: string) => `${n} ${unit}${n === 1 ? "" : "s"} ago`;

export function lastSeen(iso: string | null, now: number): string {
  return iso === null ? "not seen yet" : `last seen ${ago(iso, now)}`;
}

/** `< 1 min`, `24 min`, `1 h 24 min`, `131 h`. */
export function duration(minutes: number): string {
  if (minutes < 1) return "< 1 min";
  const whole = Math.round(minutes);
  const hours = Math.floor(whole / 60);
  const rest = whole % 60;
  if (hours === 0) return `${rest} min`;
  return rest === 0 || hours >= 100 ? `${number(hours)} h` : `${hours} h ${rest} min`;
}

export function number(n: number, locale?: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(n);
}

/** `0`, `< 0.1`, `3.4`, `1,204`: as exact as somebody can follow. */
export function perSecond(n: number, locale?: string): string {
  if (n > 0 && n < 0.1) return "< 0.1";
  return number(n < 10 ? n : Math.round(n), locale);
}

/** `512 B`, `1.5 KiB`, `3 MiB`. */
export function bytes(n: number, locale?: string): string {
  const units = ["B", "KiB", "MiB", "GiB"] as const;
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, n)) / 10)));
  return `${number(n / 1_024 ** at, locale)} ${units[at]}`;
}

/** `0 ms`, `0.4 ms`, `12 ms`, `2.5 s`, `3 min`, `2 h`. */
export function seconds(n: number, locale?: string): string {
  const ms = n * 1_000;
  if (ms < 9.95) return `${number(ms, locale)} ms`;
  if (ms < 999.5) return `${number(Math.round(ms), locale)} ms`;
  if (n < 59.5) return `${number(n < 9.95 ? n : Math.round(n), locale)} s`;
  if (n < 3_570) return `${Math.round(n / 60)} min`;
  return `${number(Math.round(n / 3_600), locale)} h`;
}

/** `2:30:04 PM`, of milliseconds since 1970. */
export function timeOfDay(at: number, locale?: string, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  return plain(new Intl.DateTimeFormat(locale, { timeStyle: "medium", ...zone }).format(at));
}

/** What a badge says of how many are active: nothing of none, `100+` past a hundred. */
export function badge(activeNow: number): string {
  if (activeNow <= 0) return "";
  return activeNow > 100 ? "100+" : `${activeNow}`;
}

/** `2 PM` of an hour of the day, 0 to 23. */
export function hour(of: number, locale?: string): string {
  const at = new Date(Date.UTC(2026, 0, 5, of));
  return plain(new Intl.DateTimeFormat(locale, { hour: "numeric", timeZone: "UTC" }).format(at));
}

/** `Mon` of a weekday, 1 (Monday) to 7. */
export function weekday(of: number, style: "short" | "long" = "short", locale?: string): string {
  const at = new Date(Date.UTC(2026, 0, 4 + of));
  return new Intl.DateTimeFormat(locale, { weekday: style, timeZone: "UTC" }).format(at);
}

/** `Jan` of a month, 1 to 12. */
export function month(of: number, style: "short" | "long" = "short", locale?: string): string {
  const at = new Date(Date.UTC(2026, of - 1, 1));
  return new Intl.DateTimeFormat(locale, { month: style, timeZone: "UTC" }).format(at);
}

/** Up to two letters for a picture that there is none of. */
export function initials(name: string): string {
  const words = name.split(/\s+/u).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...(word ?? "")][0]?.toUpperCase() ?? "").join("");
}

/** `wedding planner` as it begins a line. */
export function capital(text: string): string {
  const [first = "", ...rest] = text;
  return first.toUpperCase() + rest.join("");
}
