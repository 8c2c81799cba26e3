// Tells the hub that the assistant works: as seldom as it needs to know, the newest first.

import { PresenceError, quiet } from "../errors.js";
import type { ActivityState } from "../protocol/client.js";

/** What the assistant did. The hub knows the session and the organization. */
export type ClockActivity = Omit<ActivityState, "sessionId" | "organizationId">;

/** Between two reports of the same: the hub looks at the hour. */
const SAME_MS = 60_000;
/** Between any two. */
const OTHER_MS = 1_000;
/** Past which nobody needs to hear of it: the hub counts the hour anew when the extension is back. */
const GOOD_MS = 120_000;
/** The wait after a refusal that names none. */
const UNTOLD_MS = 5_000;

interface Due {
  activity: ClockActivity;
  at: number;
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: PresenceError) => void;
}

export class Pulse {
  readonly #send: (activity: ClockActivity) => Promise<unknown>;
  #due: Due | undefined;
  #last = "";
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Until when the hub takes none. */
  #notBefore = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open = false;
  #sending = false;

  constructor(send: (activity: ClockActivity) => Promise<unknown>) {
    this.#send = send;
  }

  /** Says it, soon, unless something newer takes its place. The promise is that of the one that is said. */
  tell(activity: ClockActivity): Promise<void> {
    this.#due ??= due(activity);
    this.#due.activity = activity;
    this.#due.at = performance.now();
    const { promise } = this.#due;
    this.#pump();
    return promise;
  }

  /** There is a connection. */
  open(): void {
    this.#open = true;
    this.#pump();
  }

  /** There is none. */
  shut(): void {
    this.#open = this.#sending = false;
    clearTimeout(this.#timer);
  }

  end(error: PresenceError): void {
    this.shut();
    this.#due?.reject(error);
    this.#due = undefined;
    this.#last = "";
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const { activity, at } = this.#due ?? {};
    if (!activity || at === undefined || !this.#open || this.#sending) return;
    const now = performance.now();
    const gap = JSON.stringify(activity) === this.#last ? SAME_MS : OTHER_MS;
    const next = Math.max(this.#lastAt + gap, this.#notBefore);
    if (next > now) this.#timer = setTimeout(() => this.#pump(), next - now);
    else this.#say(this.#due as Due, now);
  }

  #say(due: Due, now: number): void {
    this.#due = undefined;
    if (now - due.at > GOOD_MS) {
      due.reject(new PresenceError("lost", "there was no connection for two minutes"));
      return;
    }
    this.#sending = true;
    this.#lastAt = now;
    this.#last = JSON.stringify(due.activity);
    this.#send(due.activity).then(
      () => {
        due.resolve();
        this.#answered();
      },
      (error: PresenceError) => this.#refused(due, error),
    );
  }

  #refused(due: Due, error: PresenceError): void {
    if (error.code === "lost") {
      this.#again(due);
      return;
    }
    if (error.code === "rate_limited" || error.code === "unavailable") {
      this.#notBefore = performance.now() + (error.retryAfterMs ?? UNTOLD_MS);
      this.#again(due);
    } else due.reject(error);
    this.#answered();
  }

  /** Once more; or what came meanwhile instead. */
  #again(due: Due): void {
    this.#last = "";
    if (this.#due) this.#due.promise.then(due.resolve, due.reject);
    else this.#due = due;
  }

  #answered(): void {
    this.#sending = false;
    this.#pump();
  }
}

function due(activity: ClockActivity): Due {
  let resolve = () => {};
  let reject: Due["reject"] = () => {};
  const promise = quiet(
    new Promise<void>((done, failed) => {
      resolve = done;
      reject = failed;
    }),
  );
  return { activity, at: 0, promise, resolve, reject };
}
