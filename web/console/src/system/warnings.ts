// What is wrong with the hub, in words: conditions that do not hold, queues that grow, times that are too long, and what
// should never have been counted. The thresholds are those of docs/alerts.yml. No I/O.

import { number, perSecond, seconds } from "../format.js";
import { COUNTED, type Level, many, STARTED_AGAIN } from "./counted.js";
import { type Course, thisMinute } from "./course.js";
import { quantile, rate, rise } from "./figures.js";

export interface Warning {
  readonly id: string;
  readonly level: Level;
  readonly says: string;
  /** What follows from it, or what to do. */
  readonly more: string;
  /** Of what was counted: when last. Milliseconds since 1970. It stays until it is seen. */
  readonly clock?: number;
}

interface Condition {
  readonly level: Level;
  readonly holds: string;
  readonly fails: string;
  readonly so: string;
}

/** In the order in which they are shown. */
const CONDITIONS: { readonly [name: string]: Condition } = {
  directory: {
    level: "bad",
    holds: "The directory was read",
    fails: "The directory was not read yet",
    so: "The hub is starting; no clients are sent to it.",
  },
  accepting: {
    level: "bad",
    holds: "Connections are taken",
    fails: "No connections are taken",
    so: "The hub is starting or ending.",
  },
  store: {
    level: "bad",
    holds: "The database can be read and written",
    fails: "The database cannot be read or written",
    so: "Presence goes on, and hiding works; other durable calls answer 503. Bring it back: nothing else is needed.",
  },
  follower: {
    level: "warn",
    holds: "Changes in the database are followed",
    fails: "Changes in the database are not followed",
    so: "What is changed elsewhere is not shown; after 30 s views are marked stale.",
  },
  backlog: {
    level: "warn",
    holds: "No activity waits on the hub's disk",
    fails: "Activity waits on the hub's disk",
    so: "It is safe there, and is written when the database takes it.",
  },
  spool: {
    level: "warn",
    holds: "No hiding waits on the hub's disk",
    fails: "Hidings wait on the hub's disk",
    so: "They are in force here; other hubs may still show these people.",
  },
};

export interface Holds {
  readonly name: string;
  readonly holds: boolean;
  readonly says: string;
  readonly so: string;
  readonly level: Level;
}

/** Every condition of the hub in words; one that is unknown here by its name. */
export function conditions({ now: { health } }: Course): readonly Holds[] {
  const order = Object.keys(CONDITIONS);
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.entries(health.conditions)
    .sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1))
    .map(([name, holds]) => {
      const known = CONDITIONS[name];
      const says = known?.[holds ? "holds" : "fails"] ?? `“${name}” ${holds ? "holds" : "does not hold"}`;
      const level = known?.level ?? (health.degraded.includes(name) ? "warn" : "bad");
      return { name, holds, says, so: known?.so ?? "docs/operations.md says what it means.", level };
    });
}

/** Since the last answer of the database; from here on viewers are told that what they see may be old. Seconds. */
export const STALE_S = 30;

/** Half of what the heart's mailbox takes. */
const MAILBOX_HALF = 2_048;

/** Of fewer, one that is slow says nothing of the others. */
const ENOUGH = 10;

/** What is wrong, the worst first. */
export function warnings(course: Course): readonly Warning[] {
  const all = [...failing(course), ...waiting(course), ...slow(course), ...tried(course), ...marked(course)];
  return all.toSorted((a, b) => Number(b.level === "bad") - Number(a.level === "bad"));
}

function failing(course: Course): readonly Warning[] {
  const age = course.now.figures.sum("follower_age_seconds");
  const stale: Warning = {
    id: "stale",
    level: "bad",
    says: `Viewers are told that what they see may be old: the database was heard ${seconds(age)} ago.`,
    more: "Changes made elsewhere are not shown meanwhile. The log says why.",
  };
  const broken = conditions(course)
    .filter(({ holds }) => !holds)
    .map(({ name, level, says, so }): Warning => ({ id: name, level, says: `${says}.`, more: so }));
  return age > STALE_S ? [...broken.filter(({ id }) => id !== "follower"), stale] : broken;
}

function waiting({ now: { figures } }: Course): readonly Warning[] {
  const mailbox = figures.sum("mailbox_waiting");
  if (mailbox <= MAILBOX_HALF) return [];
  return [
    {
      id: "mailbox",
      level: "bad",
      says: `The heart does not keep up: ${number(mailbox)} inputs wait.`,
      more: "Sockets are read more slowly. Look at the CPU, and spread people over more hubs.",
    },
  ];
}

interface Slow {
  readonly id: string;
  readonly name: string;
  readonly q: number;
  readonly over: number;
  readonly says: (took: string) => string;
  readonly more: string;
}

const SLOW: readonly Slow[] = [
  {
    id: "slow-heart",
    name: "mailbox_seconds",
    q: 0.9,
    over: 0.5,
    says: (took) => `An input of ten waits ${took} and longer for the heart.`,
    more: "Something holds it up, or the machine has no CPU left.",
  },
  {
    id: "slow-requests",
    name: "request_seconds",
    q: 0.99,
    over: 2,
    says: (took) => `A request of a hundred takes ${took} and longer.`,
    more: "Compare with the times of the database: most often it is that.",
  },
  {
    id: "slow-pool",
    name: "database_acquire_seconds",
    q: 0.9,
    over: 0.5,
    says: (took) => `Work of ten waits ${took} and longer for a connection to the database.`,
    more: "Slow statements, or store.connections is too small.",
  },
];

function slow(course: Course): readonly Warning[] {
  const minute = thisMinute(course);
  return SLOW.flatMap(({ id, name, q, over, says, more }) => {
    const took = quantile(minute, name, q);
    if (!took || took.of < ENOUGH || took.value <= over) return [];
    return [{ id, level: "warn" as const, says: says(seconds(took.value)), more }];
  });
}

/** In a minute more sockets that read nothing, and in a second more wrong codes, than there are in good times. */
const SLOW_READERS = 5;
const WRONG_CODES = 1;

function tried(course: Course): readonly Warning[] {
  const minute = thisMinute(course);
  const readers = minute ? rise(minute, "close_codes_total", { code: "too_slow" }) : 0;
  const codes = rate(minute, "codes_refused_total") ?? 0;
  const found: Warning[] = [];
  if (readers > SLOW_READERS)
    found.push({
      id: "slow-readers",
      level: "warn",
      says: `${many(readers, "client", "clients")} did not read what they were sent.`,
      more: "A network in between that stalls, or a client that hangs after an update of it.",
    });
  if (codes > WRONG_CODES)
    found.push({
      id: "codes-guessed",
      level: "warn",
      says: `Somebody tries access codes: ${perSecond(codes)} wrong ones a second.`,
      more: "Each address has its limit, and many together have another. Look at the proxy's log.",
    });
  return found;
}

function marked({ marks }: Course): readonly Warning[] {
  return [STARTED_AGAIN, ...COUNTED].flatMap(({ id, level, from = 1, says, more }) => {
    const mark = marks.get(id);
    if (!mark || mark.by < from) return [];
    return [{ id, level, says: says(mark.by), more, clock: mark.clock }];
  });
}

/** How it is at a glance: the worst of what is wrong. */
export function verdict(of: readonly Warning[]): Level | "well" {
  return of.length === 0 ? "well" : of.some(({ level }) => level === "bad") ? "bad" : "warn";
}
