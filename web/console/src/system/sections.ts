// What the cards of the page show, line by line, made of what the hub said. No I/O.

import { bytes, number, perSecond, seconds } from "../format.js";
import type { Level } from "./counted.js";
import { type Course, lately, lines, type Said, thisMinute } from "./course.js";
import { type Labels, type Quantile, quantile, rate } from "./figures.js";
import { STALE_S } from "./warnings.js";

export interface Row {
  readonly name: string;
  readonly value: string;
  /** Where it is not as it should be. */
  readonly level?: Level;
  /** How much of what there may be, 0 to 1. */
  readonly share?: number;
}

/** Not known yet, or there was nothing to measure. */
const NONE = "–";

/** Nought of something, or not known: what an eye may pass over. */
export const isNothing = ({ value }: Row) => /^(–|0(?![.\d]))/.test(value);

/** What the lines are made of. */
class Ledger {
  readonly #course: Course;

  constructor(course: Course) {
    this.#course = course;
  }

  now(name: string, labels: Labels = {}): number {
    return this.#course.now.figures.sum(name, labels);
  }

  count(name: string, labels: Labels = {}): string {
    return number(this.now(name, labels));
  }

  perSecond(name: string): string {
    const is = rate(lately(this.#course), name);
    return is === undefined ? NONE : `${perSecond(is)}/s`;
  }

  bytesPerSecond(name: string): string {
    const is = rate(lately(this.#course), name);
    return is === undefined ? NONE : `${bytes(is)}/s`;
  }

  time(name: string, q: number, labels: Labels = {}): string {
    return took(quantile(thisMinute(this.#course), name, q, labels));
  }

  values(name: string, label: string): readonly string[] {
    return this.#course.now.figures.values(name, label);
  }

  /** What should be nought. */
  none(name: string, about: string, level: Level = "bad"): Row {
    const is = this.now(name);
    return { name: about, value: number(is), ...(is > 0 && { level }) };
  }
}

function took(quantile: Quantile | undefined): string {
  if (!quantile) return NONE;
  return `${quantile.over ? "> " : ""}${seconds(quantile.value)}`;
}

export function connected(course: Course): readonly Row[] {
  const of = new Ledger(course);
  return [
    { name: "People's sockets", value: of.count("connections") },
    { name: "Extensions", value: of.count("extensions") },
    { name: "Sessions", value: of.count("sessions") },
    { name: "Views", value: of.count("views") },
    { name: "Channels", value: of.count("channels") },
    { name: "Users known", value: of.count("users") },
    { name: "Accounts known", value: of.count("accounts") },
    { name: "TCP connections", value: of.count("seats_taken") },
    { name: "Waiting to be served", value: of.count("handshakes_waiting") },
  ];
}

export function traffic(course: Course): readonly Row[] {
  const of = new Ledger(course);
  return [
    { name: "Frames out", value: of.perSecond("frames_total") },
    { name: "Bytes out", value: of.bytesPerSecond("frame_bytes_total") },
    { name: "Changes shown", value: of.perSecond("changes_total") },
    { name: "Diffs", value: of.perSecond("diffs_total") },
    { name: "Pages of snapshots", value: of.perSecond("snapshots_total") },
    { name: "Requests", value: of.perSecond("requests_total") },
    { name: "A request, p50", value: of.time("request_seconds", 0.5) },
    { name: "A request, p99", value: of.time("request_seconds", 0.99) },
    { name: "Requests under way", value: of.count("requests_under_way") },
  ];
}

/** What the heart's mailbox takes. */
const MAILBOX = 4_096;

export function heart(course: Course): readonly Row[] {
  const of = new Ledger(course);
  const waiting = of.now("mailbox_waiting");
  return [
    { name: "Inputs", value: of.perSecond("inputs_total") },
    { name: "Waiting for it", value: `${number(waiting)} of ${number(MAILBOX)}`, share: waiting / MAILBOX },
    { name: "An input, p50", value: of.time("mailbox_seconds", 0.5) },
    { name: "An input, p99", value: of.time("mailbox_seconds", 0.99) },
    { name: "Sockets with more to take", value: of.count("outboxes_waiting") },
    { name: "Kept for them", value: bytes(of.now("outbox_bytes")) },
    { name: "Turns not taken at once", value: of.perSecond("turns_kept_total") },
    { name: "Sockets read more slowly", value: of.perSecond("slowed_reads_total") },
  ];
}

export function store(course: Course): readonly Row[] {
  const of = new Ledger(course);
  const followed = of.now("store_followed") === 1;
  const age = of.now("follower_age_seconds");
  return [
    { name: "Followed", value: followed ? "Yes" : "No", ...(!followed && { level: "warn" as const }) },
    {
      name: "Heard last",
      value: age < 1 ? "just now" : `${seconds(age)} ago`,
      ...(age > STALE_S && { level: "bad" as const }),
    },
    { name: "A round, p99", value: of.time("follower_round_seconds", 0.99) },
    { name: "Waiting for a round", value: of.count("follower_asks_waiting") },
    ...of.values("database_connections", "pool").map((pool) => {
      const [busy, open] = ["database_connections_busy", "database_connections"].map((name) =>
        of.now(name, { pool }),
      );
      return { name: `Pool “${pool}”`, value: `${number(busy ?? 0)} busy of ${number(open ?? 0)}` };
    }),
    { name: "A connection, p99", value: of.time("database_acquire_seconds", 0.99) },
    { name: "A unit of work, p99", value: of.time("database_seconds", 0.99) },
    of.none("database_failures_total", "Units given up", "warn"),
    { name: "Units tried again", value: of.count("database_retries_total") },
    of.none("settings_spooled", "Hidings waiting on disk", "warn"),
    of.none("spool_refusals_total", "Hidings refused"),
  ];
}

const BATCHES: { readonly [rows: string]: string } = {
  activity: "activity",
  "last-seen": "last seen",
  stretches: "stretches",
};

export function writer(course: Course): readonly Row[] {
  const of = new Ledger(course);
  return [
    { name: "Rows in memory", value: of.count("writer_pending") },
    { name: "Noted", value: of.perSecond("writer_noted_total") },
    { name: "Written", value: of.perSecond("writer_written_total") },
    ...of.values("writer_batch_seconds_bucket", "rows").map((rows) => ({
      name: `A batch of ${BATCHES[rows] ?? rows}, p99`,
      value: of.time("writer_batch_seconds", 0.99, { rows }),
    })),
    { name: "Batches tried again", value: of.count("writer_failed_batches_total") },
    of.none("backlog_rows", "Rows waiting on disk", "warn"),
    { name: "All of it on disk", value: bytes(of.now("backlog_bytes")) },
    of.none("writer_dropped_total", "Lost"),
    of.none("writer_refused_total", "Set aside", "warn"),
    of.none("gaps_total", "Marks of missing rows", "warn"),
  ];
}

/** What is refused or closed: how often now, and since the hub was started. */
export interface Refusal {
  readonly code: string;
  /** `undefined`: not known yet. */
  readonly perSecond: number | undefined;
  readonly total: number;
}

/** By one label of a counter, what is refused most now first. What never was is left out. */
export function refusals(course: Course, counter: string, label = "code"): readonly Refusal[] {
  const of = new Ledger(course);
  const span = lately(course);
  return of
    .values(counter, label)
    .map((code) => ({
      code,
      perSecond: rate(span, counter, { [label]: code }),
      total: of.now(counter, { [label]: code }),
    }))
    .filter(({ total }) => total > 0)
    .sort(
      (a, b) => (b.perSecond ?? 0) - (a.perSecond ?? 0) || b.total - a.total || (a.code < b.code ? -1 : 1),
    );
}

export function limits(course: Course): readonly Row[] {
  const of = new Ledger(course);
  return [
    { name: "Connections turned away", value: of.count("refused_connections_total") },
    { name: "Tokens refused", value: of.count("tokens_refused_total") },
    { name: "Access codes refused", value: of.count("codes_refused_total") },
    { name: "Calls past a limit", value: of.count("rate_limited_total") },
  ];
}

export interface Job {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  /** What one took on average; `undefined` before the first one. */
  readonly took: string | undefined;
}

/** Those that this hub did, by name. */
export function jobs(course: Course): readonly Job[] {
  const of = new Ledger(course);
  return of
    .values("job_runs_total", "name")
    .map((name) => {
      const [sum, times] = [of.now("job_seconds_sum", { name }), of.now("job_seconds_count", { name })];
      return {
        name: name.replaceAll("-", " "),
        runs: of.now("job_runs_total", { name }),
        failures: of.now("job_failures_total", { name }),
        took: times > 0 ? seconds(sum / times) : undefined,
      };
    })
    .filter(({ runs }) => runs > 0);
}

/** Lines of the log that somebody should read, since the hub was started. */
export function log(course: Course): readonly Row[] {
  const of = new Ledger(course);
  return [
    { name: "Errors in the log", value: of.count("log_lines_total", { level: "error" }) },
    { name: "Warnings in the log", value: of.count("log_lines_total", { level: "warn" }) },
  ];
}

/** One of the main figures: now, and its line of the last minutes. */
export interface Tile {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly lines: ReturnType<typeof lines>;
  /** The highest of its line, where there is one. */
  readonly most: string | undefined;
}

export function tiles(course: Course): readonly Tile[] {
  return [
    gauge(course, "Connections", (said) => said.figures.sum("connections") + said.figures.sum("extensions")),
    flow(course, "Frames", "frames_total"),
    flow(course, "Changes", "changes_total"),
    flow(course, "Requests", "requests_total"),
  ];
}

function gauge(course: Course, name: string, of: (said: Said) => number): Tile {
  const line = lines(course, of);
  return { name, value: number(of(course.now)), lines: line, most: highest(line, number) };
}

function flow(course: Course, name: string, counter: string): Tile {
  const line = lines(course, (to, from) => rate(from && { from, to }, counter));
  const is = rate(lately(course), counter);
  const value = is === undefined ? NONE : perSecond(is);
  return { name, value, unit: "/s", lines: line, most: highest(line, (n) => `${perSecond(n)}/s`) };
}

function highest(of: ReturnType<typeof lines>, says: (n: number) => string): string | undefined {
  return of.length === 0 ? undefined : says(Math.max(0, ...of.flat().map(({ value }) => value)));
}
