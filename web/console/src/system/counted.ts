// What should never be counted: what each says when it is, and what to do (docs/operations.md and docs/alerts.yml).

import { number } from "../format.js";
import type { Figures } from "./figures.js";

/** `bad`: somebody should look now. `warn`: within a day or two. */
export type Level = "bad" | "warn";

export interface Counted {
  readonly id: string;
  readonly level: Level;
  readonly count: (figures: Figures) => number;
  /** Fewer are nothing to speak of. */
  readonly from?: number;
  readonly says: (n: number) => string;
  readonly more: string;
}

export const many = (n: number, one: string, more: string) => `${number(n)} ${n === 1 ? one : more}`;

/** Not by a counter of the hub: all of them began anew. */
export const STARTED_AGAIN: Counted = {
  id: "started-again",
  level: "warn",
  count: () => 0,
  says: (n) => (n === 1 ? "The hub was started again." : `The hub was started again ${number(n)} times.`),
  more: "All counters began anew. Its log says how it ended.",
};

export const COUNTED: readonly Counted[] = [
  {
    id: "dropped",
    level: "bad",
    count: (figures) => figures.sum("writer_dropped_total"),
    says: (n) => `${many(n, "note of activity was", "notes of activity were")} lost.`,
    more: "Memory and backlog are full. Marks of what is missing are in presence_gaps.",
  },
  {
    id: "not-hidden",
    level: "bad",
    count: (figures) => figures.sum("spool_refusals_total"),
    says: (n) => `${many(n, "hiding was", "hidings were")} refused.`,
    more: "The database is away and the hub's disk took nothing, or the spool is full. Look at the disk under store.spool_path.",
  },
  {
    id: "backlog-disk",
    level: "bad",
    count: (figures) => figures.sum("backlog_failures_total"),
    says: (n) => `The disk under the backlog failed ${many(n, "time", "times")}.`,
    more: "What waits is in memory alone, and is lost if the hub ends.",
  },
  {
    id: "no-room",
    level: "bad",
    count: (figures) => figures.sum("refused_connections_total", { reason: "total" }),
    says: (n) => `${many(n, "connection was", "connections were")} turned away: the hub is full.`,
    more: "There are more than listen.max_connections.",
  },
  {
    id: "no-room-for-address",
    level: "bad",
    count: (figures) => figures.sum("refused_connections_total", { reason: "address" }),
    says: (n) => `${many(n, "connection was", "connections were")} turned away: too many from one address.`,
    more: "Many people behind one proxy that is not in listen.trusted_proxies, or one who tries.",
  },
  {
    id: "not-accepted",
    level: "bad",
    count: (figures) => figures.sum("accept_errors_total"),
    says: (n) => `The system could not give ${many(n, "connection", "connections")}.`,
    more: "Most often there are too few file descriptors.",
  },
  {
    id: "failed",
    level: "warn",
    count: (figures) =>
      figures.sum("errors_total", { code: "internal" }) +
      figures.sum("close_codes_total", { code: "internal_error" }),
    says: (n) => `The hub failed in ${many(n, "answer", "answers")}.`,
    more: "The log has the line, with the request's id where there is one.",
  },
  {
    id: "error-lines",
    level: "warn",
    count: (figures) => figures.sum("log_lines_total", { level: "error" }),
    says: (n) => `The log has ${many(n, "new line", "new lines")} at level error.`,
    more: "Each says what happened, and what goes on all the same.",
  },
  {
    id: "rows-refused",
    level: "warn",
    count: (figures) => figures.sum("writer_refused_total"),
    says: (n) => `${many(n, "row was", "rows were")} set aside that the database will never take.`,
    more: "Look at refused.ndjson in the backlog: most often a schema that was changed.",
  },
  {
    id: "rows-corrupt",
    level: "warn",
    count: (figures) => figures.sum("backlog_corrupt_lines_total"),
    says: (n) => `${many(n, "line of the backlog was", "lines of the backlog were")} damaged.`,
    more: "They are in corrupt.txt in the backlog. Look at the disk.",
  },
  {
    id: "gaps",
    level: "warn",
    count: (figures) => figures.sum("gaps_total"),
    says: (n) => `${many(n, "mark of missing rows was", "marks of missing rows were")} written.`,
    more: "Activity was lost before; presence_gaps says of when.",
  },
  {
    id: "keys",
    level: "warn",
    from: 3,
    count: (figures) => figures.sum("key_fetch_failures_total"),
    says: (n) => `The keys of an issuer of tokens could not be fetched ${many(n, "time", "times")}.`,
    more: "Those at hand stay in use; when the issuer changes its keys nobody can sign in. The log names the address.",
  },
  {
    id: "jobs",
    level: "warn",
    count: (figures) => figures.sum("job_failures_total"),
    says: (n) => `${many(n, "run of a job", "runs of jobs")} failed.`,
    more: "presence-hub jobs list and the log say why.",
  },
];
