// A value that can be read at any time and tells when it has changed.

/** Ends a subscription. Calling it twice is harmless. */
export type Unsubscribe = () => void;

/** A value that can be read at any time and tells when it has changed. The value itself is never changed in place. */
export interface Readable<T> {
  /** The value now: the same object until something has changed. */
  get(): T;
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: (value: T) => void): Unsubscribe;
}

/** Listeners in the order in which they came. One that throws disturbs no other: its error is reported as uncaught. */
export class Listeners<A extends unknown[]> {
  readonly #listeners: Set<{ call: (...args: A) => void }> = new Set();

  get size(): number {
    return this.#listeners.size;
  }

  add(call: (...args: A) => void): Unsubscribe {
    const listener = { call };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(...args: A): void {
    for (const { call } of [...this.#listeners]) {
      try {
        call(...args);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

export class Store<T> implements Readable<T> {
  readonly #listeners = new Listeners<[T]>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get = (): T => this.#value;

  subscribe = (listener: (value: T) => void): Unsubscribe => this.#listeners.add(listener);

  set(value: T): void {
    if (value === this.#value) return;
    this.#value = value;
    this.#listeners.tell(value);
  }
}

/** In a browser `window.onerror` hears of it; elsewhere it is thrown where nobody is disturbed. */
function reportError(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}
