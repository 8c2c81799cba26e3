// What the pages of a report show, made of what the hub answers. No I/O.

import type { HourUsers, Report } from "../contract.js";

/** A bar: what it stands for, and how much. */
export interface Bar {
  readonly key: number;
  readonly value: number;
}

/** All hours, months or weekdays in their order. What is left out (fewer than three people) is 0. */
export function bars(from: number, to: number, told: readonly Bar[]): readonly Bar[] {
  const values = new Map(told.map(({ key, value }) => [key, value]));
  return Array.from({ length: to - from + 1 }, (_, at) => ({
    key: from + at,
    value: values.get(from + at) ?? 0,
  }));
}

export function hours(of: readonly HourUsers[]): readonly Bar[] {
  return bars(
    0,
    23,
    of.map(({ hour, activeUsers }) => ({ key: hour, value: activeUsers })),
  );
}

export function weekdays({ weekdays: of }: Report): readonly Bar[] {
  return bars(
    1,
    7,
    of.map(({ weekday, activeUsers }) => ({ key: weekday, value: activeUsers })),
  );
}

export function months({ peakMonths: of }: Report): readonly Bar[] {
  return bars(
    1,
    12,
    of.map(({ month, activeUsers }) => ({ key: month, value: activeUsers })),
  );
}

/** The highest; the first of several; `undefined` where all are 0. */
export function peak(of: readonly Bar[]): Bar | undefined {
  const first = of.reduce<Bar | undefined>(
    (best, bar) => (bar.value > (best?.value ?? 0) ? bar : best),
    undefined,
  );
  return first;
}

export interface Part {
  readonly device: "desktop" | "mobile" | "tablet";
  readonly sessions: number;
  /** Of the sessions of known devices, 0 to 1. */
  readonly share: number;
}

export function devices({ deviceBreakdown: of }: Report): readonly Part[] {
  const all = of.desktop + of.mobile + of.tablet;
  return (["desktop", "mobile", "tablet"] as const).map((device) => ({
    device,
    sessions: of[device],
    share: all === 0 ? 0 : of[device] / all,
  }));
}

/** Whether there is nothing to show at all. */
export function isEmpty({ totalSessions, pageViews, mostActiveUsers, peakHours }: Report): boolean {
  return totalSessions === 0 && pageViews.length + mostActiveUsers.length + peakHours.length === 0;
}

/** A round number not below the highest value, so that a scale has whole steps. */
export function scale(highest: number): number {
  if (highest <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 2, 4, 5, 10].find((of) => of * power >= highest) ?? 10;
  return step * power;
}

/** The days of a range, both included, as they are where the reader is: `2026-11-21`. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

export function lastDays(days: number, now: Date = new Date()): Range {
  const from = new Date(now.getFullYear(), now.getMonth(), now.getDate() - (days - 1));
  return { from: day(from), to: day(now) };
}

export function day(of: Date): string {
  const two = (n: number) => `${n}`.padStart(2, "0");
  return `${of.getFullYear()}-${two(of.getMonth() + 1)}-${two(of.getDate())}`;
}

/** Why a range cannot be asked for. */
export function wrong({ from, to }: Range): string | undefined {
  const [first, last] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(first) || Number.isNaN(last)) return "Choose both days.";
  if (first > last) return "The first day is after the last.";
  return (last - first) / 86_400_000 >= 366 ? "A report is about 366 days at most." : undefined;
}
