// Whether and when to come back, after a connection has ended. Pure: chance comes in as an argument.

/** What the end of a connection asks for. */
export type Comeback =
  /** At once the first time, then after the backoff. */
  | { when: "at_once" }
  | { when: "backoff" }
  /** After this many milliseconds, which the hub has drawn for this client. */
  | { when: "after"; ms: number }
  /** At some time within this many milliseconds. */
  | { when: "within"; ms: number }
  /** With another token; at once the first time, then after the backoff. */
  | { when: "new_token" }
  /** Not without a person's act. */
  | { when: "never" };

/** The longest wait that a hub can ask for; a longer one is a mistake. */
const MOST_TOLD_MS = 3_600_000;
/** Within which a client comes back that was told to wait, but not how long. */
const UNTOLD_MS = 60_000;
/** The first ceiling of the backoff, and the last one. */
const FIRST_MS = 1_000;
const MOST_MS = 30_000;

/** What the code of a close frame asks for (PROTOCOL.md, "Close codes"), and what the hub told before it. */
export function afterClose(code: number | undefined, toldMs: number | undefined): Comeback {
  if (code === 1000 || within(code, 4300)) return { when: "never" };
  if (within(code, 4200)) return { when: "new_token" };
  if (toldMs) return { when: "after", ms: Math.min(toldMs, MOST_TOLD_MS) };
  if (within(code, 4100)) return { when: "within", ms: UNTOLD_MS };
  return { when: code === undefined || within(code, 4000) ? "at_once" : "backoff" };
}

/**
 * The wait in milliseconds that a comeback asks for; `undefined`: never. Full jitter: each wait is drawn evenly from
 * nothing to a ceiling that doubles. `attempt` counts from 0 since a connection held; `random` is from [0, 1).
 */
export function waitFor(comeback: Comeback, attempt: number, random: number): number | undefined {
  switch (comeback.when) {
    case "at_once":
    case "new_token":
      return attempt === 0 ? 0 : backoff(attempt - 1, random);
    case "backoff":
      return backoff(attempt, random);
    case "after":
      return comeback.ms;
    case "within":
      return random * comeback.ms;
    case "never":
      return undefined;
  }
}

function backoff(attempt: number, random: number): number {
  return random * Math.min(FIRST_MS * 2 ** attempt, MOST_MS);
}

function within(code: number | undefined, first: number): boolean {
  return code !== undefined && code >= first && code < first + 100;
}
