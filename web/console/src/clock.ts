// The time of day for texts such as `12 minutes ago`: one timer for all of them, and none where there is no such text.

import { useEffect, useState } from "preact/hooks";

const EVERY_MS = 15_000;

const listeners: Set<(now: number) => void> = new Set();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  const now = Date.now();
  for (const listener of listeners) listener(now);
}

/** The time, in milliseconds; the component is drawn anew every 15 s. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    listeners.add(setNow);
    timer ??= setInterval(tick, EVERY_MS);
    return () => {
      listeners.delete(setNow);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return now;
}
