// A part of what a store holds, in a component that is drawn anew only when that part says something else.

import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { Readable } from "../store.js";

export type Equal<T> = (a: T, b: T) => boolean;

/**
 * What `select` makes of the store's value. `first` stands for that value on a server, and in the browser until the page
 * that came from there has been taken over. `select` may be another function each time.
 */
export function useSelected<S, T>(
  store: Readable<S>,
  first: S,
  select: (value: S) => T,
  equal: Equal<T> = shallow,
): T {
  const shown = useRef<{ readonly value: T } | undefined>(undefined);
  const [now, then] = useMemo(() => {
    const ofNow = picker(select, equal, shown);
    const ofFirst = picker(select, equal, shown);
    return [() => ofNow(store.get()), () => ofFirst(first)];
  }, [store, first, select, equal]);
  const value = useSyncExternalStore(store.subscribe, now, then);
  useEffect(() => {
    shown.current = { value };
  }, [value]);
  return value;
}

/** Gives the same object for as long as it says the same; at first, what is on the screen. */
function picker<S, T>(
  select: (value: S) => T,
  equal: Equal<T>,
  shown: { readonly current: { readonly value: T } | undefined },
): (from: S) => T {
  let last: { readonly from: S; readonly value: T } | undefined;
  return (from) => {
    if (last && Object.is(last.from, from)) return last.value;
    const picked = select(from);
    const before = last ?? shown.current;
    const value = before && equal(before.value, picked) ? before.value : picked;
    last = { from, value };
    return value;
  };
}

export function same<T>(value: T): T {
  return value;
}

/** Whether two values are the same, or two lists or plain objects with the same in them. */
export function shallow(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && Object.is(a[key], b[key]))
  );
}

/** What has more to it than its fields (a `Map`, an error, a class of the page's own) is the same only if it is that one. */
function isPlain(value: unknown): value is { readonly [key: string]: unknown } {
  if (typeof value !== "object" || value === null) return false;
  const kind = Object.getPrototypeOf(value);
  return kind === Object.prototype || kind === Array.prototype || kind === null;
}
