// Asks the hub how it is, again and again while somebody looks. What was said stays while no answer comes.

import { useEffect, useMemo, useState } from "preact/hooks";
import { type Api, ApiError } from "../api.js";
import { after, type Course, seen } from "./course.js";

/** From one question to the next one. Milliseconds. */
const EVERY_MS = 2_000;

/** Where asking again is hardly of use, as with a token that has ended: another one may come. Milliseconds. */
const SELDOM_MS = 30_000;

export class Watch {
  /** `undefined` until the first answer. */
  course: Course | undefined;
  /** Why the last question was not answered. It stays until one is. */
  error: ApiError | undefined;
  readonly #ask: Api["system"];

  constructor(ask: Api["system"]) {
    this.#ask = ask;
  }

  /** What was counted until now is known. */
  seen(): void {
    this.course = this.course && seen(this.course);
  }

  /** Asks until the function that is returned is called. `changed` is called with each answer, and with each that fails. */
  start(changed: () => void): () => void {
    let over = false;
    let due = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      due = false;
      const begun = performance.now();
      await this.#read();
      if (over) return;
      changed();
      const wait = this.#wait();
      if (wait !== undefined) timer = setTimeout(look, Math.max(0, begun + wait - performance.now()));
    };
    const look = () => {
      due = true;
      shown();
    };
    const shown = () => {
      if (due && document.visibilityState === "visible") void ask();
    };
    document.addEventListener("visibilitychange", shown);
    look();
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
    };
  }

  async #read(): Promise<void> {
    try {
      const system = await this.#ask();
      this.course = after(this.course, system, performance.now(), Date.now());
      this.error = undefined;
    } catch (error) {
      this.error = error instanceof ApiError ? error : new ApiError("internal", 0, String(error));
    }
  }

  /** How long until it is asked again; `undefined`: never. */
  #wait(): number | undefined {
    if (!this.error) return EVERY_MS;
    const { status, retryAfterMs } = this.error;
    if (status === 403) return undefined;
    const passes = status === 0 || status === 429 || status >= 500;
    return passes ? Math.max(retryAfterMs ?? 0, EVERY_MS) : SELDOM_MS;
  }
}

export interface Watched {
  readonly course: Course | undefined;
  readonly error: ApiError | undefined;
  readonly seen: () => void;
}

export function useWatch(api: Api): Watched {
  const watch = useMemo(() => new Watch(() => api.system()), [api]);
  const [, draw] = useState(0);
  useEffect(() => watch.start(() => draw((n) => n + 1)), [watch]);
  const known = () => {
    watch.seen();
    draw((n) => n + 1);
  };
  return { course: watch.course, error: watch.error, seen: known };
}

/** What is older, or was not answered, is not how the hub is now. Milliseconds. */
const OLD_MS = 6_000;

/** How old it is, in seconds; `undefined`: it is of now. */
export function useAge(at: number | undefined, failing: boolean): number | undefined {
  const [age, setAge] = useState<number>();
  useEffect(() => {
    if (at === undefined) return undefined;
    const look = () => {
      const ms = performance.now() - at;
      setAge(failing || ms > OLD_MS ? Math.floor(ms / 1_000) : undefined);
    };
    look();
    const timer = setInterval(look, 1_000);
    return () => clearInterval(timer);
  }, [at, failing]);
  return age;
}
