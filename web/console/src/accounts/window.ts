// Which rows of a long list are drawn: those in sight, and a few around them.

import { useEffect, useState } from "preact/hooks";

export interface Window {
  /** The first row that is drawn. */
  readonly from: number;
  /** The first that is not. */
  readonly to: number;
}

/** Drawn above and below, so that a quick scroll shows no gap. */
const AROUND = 8;

export function windowOf(scrolled: number, height: number, row: number, count: number): Window {
  const first = Math.floor(Math.max(0, scrolled) / row);
  const shown = Math.ceil(height / row) + 1;
  const from = Math.min(Math.max(0, first - AROUND), Math.max(0, count - shown));
  return { from, to: Math.min(count, first + shown + AROUND) };
}

/** The window of a scrolling element; drawn anew only when other rows come into it. */
export function useWindow(box: { readonly current: HTMLElement | null }, row: number, count: number): Window {
  const [seen, setSeen] = useState<Window>({ from: 0, to: Math.min(count, 30) });
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const look = () => {
      const now = windowOf(element.scrollTop, element.clientHeight, row, count);
      setSeen((before) => (before.from === now.from && before.to === now.to ? before : now));
    };
    look();
    const resized = new ResizeObserver(look);
    resized.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      resized.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [box, row, count]);
  return { from: Math.min(seen.from, count), to: Math.min(seen.to, count) };
}
