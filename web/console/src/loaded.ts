// Something that is fetched: shown while it is fetched again, and fetched once however many want it.

import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { ApiError } from "./api.js";

export interface Loaded<T> {
  /** The last that came; it stays while another is on its way, or does not come. */
  readonly value: T | undefined;
  readonly error: ApiError | undefined;
  readonly loading: boolean;
}

/** The wait before what failed is asked for again by itself, in milliseconds. */
const AGAIN_MS = 5_000;

export class Loader<T> {
  #now: Loaded<T> = { value: undefined, error: undefined, loading: false };
  readonly #load: () => Promise<T>;
  readonly #listeners: Set<() => void> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #begun = Number.NEGATIVE_INFINITY;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  get = (): Loaded<T> => this.#now;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#begun === Number.NEGATIVE_INFINITY) void this.refresh();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) clearTimeout(this.#timer);
    };
  };

  /** Asks again. What came before is shown meanwhile. */
  async refresh(): Promise<void> {
    if (this.#now.loading) return;
    clearTimeout(this.#timer);
    this.#begun = performance.now();
    this.#set({ ...this.#now, loading: true });
    try {
      this.#set({ value: await this.#load(), error: undefined, loading: false });
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError("internal", 0, String(error));
      this.#set({ value: this.#now.value, error: known, loading: false });
      this.#tryLater(known);
    }
  }

  /** Asks again, but not before so many milliseconds have passed since it was last asked. */
  refreshAfter(ms: number): void {
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#begun + ms - performance.now());
    this.#timer = setTimeout(() => void this.refresh(), wait);
  }

  #tryLater({ status, retryAfterMs }: ApiError): void {
    const passes = status === 0 || status === 429 || status >= 500;
    if (!passes || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => void this.refresh(), Math.max(retryAfterMs ?? 0, AGAIN_MS));
  }

  #set(now: Loaded<T>): void {
    this.#now = now;
    for (const listener of this.#listeners) listener();
  }
}

/** What a loader has, in a component. */
export function useLoader<T>(loader: Loader<T>): Loaded<T> {
  const [, draw] = useState(0);
  useEffect(() => {
    draw((n) => n + 1);
    return loader.subscribe(() => draw((n) => n + 1));
  }, [loader]);
  return loader.get();
}

/** What `load` makes of `keys`; another key is another load, and what came for another is not shown. */
export function useLoaded<T>(
  load: () => Promise<T>,
  keys: readonly unknown[],
): Loaded<T> & { again(): void } {
  const loader = useMemo(() => new Loader(load), keys);
  const again = useCallback(() => void loader.refresh(), [loader]);
  return { ...useLoader(loader), again };
}
