// What the hub said in the last three minutes, and what should not have been counted since the page was opened. No I/O.

import type { System } from "../contract.js";
import { COUNTED, STARTED_AGAIN } from "./counted.js";
import { Figures, type Reading, risen, type Span } from "./figures.js";

/** How far back the page looks. Milliseconds. */
export const KEPT_MS = 180_000;

/** After a longer silence (the page was hidden, the hub away) rates begin anew: they are those of now. Milliseconds. */
const SILENCE_MS = 15_000;

/** What rates are about: long enough to be calm, short enough to be of now. Milliseconds. */
const RATE_MS = 10_000;

/** What quantiles are about: batches come every 5 s. Milliseconds. */
const QUANTILE_MS = 60_000;

export interface Said extends Reading {
  readonly version: string;
  readonly health: System["health"];
  /** When, on the wall. Milliseconds since 1970. */
  readonly clock: number;
  /** Nothing before it can be compared with it. */
  readonly first: boolean;
}

/** What a counter rose by since the page was opened, or since that was seen. */
export interface Mark {
  readonly by: number;
  /** When it was noticed last. Milliseconds since 1970. */
  readonly clock: number;
}

export interface Course {
  readonly now: Said;
  /** The oldest first, `now` the last one. */
  readonly said: readonly Said[];
  /** By the ids of what is counted. */
  readonly marks: ReadonlyMap<string, Mark>;
}

/** The course with one more answer, that came at `at` by the page's clock and at `clock` on the wall. */
export function after(course: Course | undefined, system: System, at: number, clock: number): Course {
  const { version, health } = system;
  const figures = new Figures(system.figures);
  const before = course?.now;
  const again = before !== undefined && figures.fellFrom(before.figures);
  const first = before === undefined || again || at - before.at > SILENCE_MS;
  const now: Said = { at, clock, version, health, figures, first };
  const said = [...(course?.said.filter((reading) => at - reading.at <= KEPT_MS) ?? []), now];
  const marks = new Map(course?.marks);
  const note = (id: string, by: number) => {
    if (by > 0) marks.set(id, { by: (marks.get(id)?.by ?? 0) + by, clock });
  };
  if (again) note(STARTED_AGAIN.id, 1);
  for (const { id, count } of COUNTED)
    if (before) note(id, again ? count(figures) : risen(count(before.figures), count(figures)));
  return { now, said, marks };
}

/** What was counted until now is known. */
export function seen(course: Course): Course {
  return { ...course, marks: new Map() };
}

/** The readings of the last so many milliseconds, at least the last two, none from before the hub was started again. */
function last({ said }: Course, ms: number): Span | undefined {
  const [to, ...older] = said.toReversed();
  if (!to || to.first) return undefined;
  let from: Said | undefined;
  for (const reading of older) {
    if (from && to.at - reading.at > ms) break;
    from = reading;
    if (reading.first) break;
  }
  return from && from.at < to.at ? { from, to } : undefined;
}

/** What rates are reckoned from. */
export const lately = (course: Course) => last(course, RATE_MS);

/** What quantiles are reckoned from. */
export const thisMinute = (course: Course) => last(course, QUANTILE_MS);

/** A point of a small line: so many milliseconds ago. */
export interface Dot {
  readonly ago: number;
  readonly value: number;
}

/** Lines through what `value` makes of each reading and the one before it; a new one where that cannot be compared. */
export function lines(
  { said, now }: Course,
  value: (reading: Said, before: Said | undefined) => number | undefined,
): readonly (readonly Dot[])[] {
  const all: Dot[][] = [];
  let before: Said | undefined;
  for (const reading of said) {
    if (reading.first || all.length === 0) {
      before = undefined;
      all.push([]);
    }
    const is = value(reading, before);
    if (is !== undefined) all.at(-1)?.push({ ago: now.at - reading.at, value: is });
    before = reading;
  }
  return all.filter((line) => line.length > 0);
}
