// Waiting for what has to come: long enough for a busy machine, and never for ever.

import type { Readable } from "../../src/store.js";

/** Longer than anything takes. Who waits this long waits for something that never comes. Milliseconds. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 10;

/** What a promise comes to, in time. */
export async function within<T>(what: string, promise: Promise<T>, ms: number = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`in ${ms} ms there was no ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until the answer is a true one. An error counts as none, and is told if no other answer comes. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  ms: number = PATIENCE_MS,
): Promise<NonNullable<T>> {
  const until = performance.now() + ms;
  for (;;) {
    let last: unknown;
    try {
      last = await ask();
      if (last) return last as NonNullable<T>;
    } catch (error) {
      last = error;
    }
    if (performance.now() > until) throw new Error(`in ${ms} ms there was no ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** The first value of a store, from now on, of which something is true: none that was passed is missed. */
export function until<T>(
  what: string,
  of: Readable<T>,
  is: (value: T) => boolean,
  ms: number = PATIENCE_MS,
): Promise<T> {
  let stop = () => {};
  const came = new Promise<T>((resolve) => {
    const look = () => {
      const value = of.get();
      if (is(value)) resolve(value);
    };
    stop = of.subscribe(look);
    look();
  });
  return within(what, came, ms)
    .catch((error) => {
      throw new Error(`${error.message}, but ${JSON.stringify(of.get())}`);
    })
    .finally(() => stop());
}
