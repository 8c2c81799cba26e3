// What a page goes through that matters to its connection: put aside and brought back, offline and online, asleep and
// awake; and whether anybody is in front of it. Where there is no page (Node, a worker) nothing of it happens.

import type { Device } from "./protocol/client.js";
import type { Unsubscribe } from "./store.js";

/** What wants to know. */
export interface PageEvents {
  /** The browser puts the page aside: it may come back, or never. */
  suspend(): void;
  /** The page, the network or the machine is back. */
  nudge(): void;
  /** Nobody has touched the page for the time given, or somebody does again. */
  idle(idle: boolean): void;
}

/** How often a machine that slept is looked for, and by how much its clock must have jumped. */
const LOOK_MS = 10_000;
const JUMP_MS = 5_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "focus"];

/** Follows the page until the returned function is called. */
export function followPage(events: PageEvents, idleAfterMs: number): Unsubscribe {
  if (typeof window === "undefined" || typeof document === "undefined") return () => {};
  const stops = [followLife(events), followSleep(events.nudge)];
  if (Number.isFinite(idleAfterMs)) stops.push(followIdle(events, idleAfterMs));
  return () => {
    for (const stop of stops) stop();
  };
}

function followLife({ suspend, nudge }: PageEvents): Unsubscribe {
  return all([
    [window, "pagehide", suspend],
    // Nothing here would answer a heartbeat.
    [document, "freeze", suspend],
    [window, "pageshow", nudge],
    [window, "online", nudge],
    [document, "resume", nudge],
    [document, "visibilitychange", () => document.visibilityState === "visible" && nudge()],
  ]);
}

/** The clock on the wall goes on while a machine sleeps; the one that counts for timers may not. */
function followSleep(nudge: () => void): Unsubscribe {
  let ahead = Date.now() - performance.now();
  const timer = setInterval(() => {
    const now = Date.now() - performance.now();
    if (Math.abs(now - ahead) > JUMP_MS) nudge();
    ahead = now;
  }, LOOK_MS);
  return () => clearInterval(timer);
}

function followIdle({ idle }: PageEvents, afterMs: number): Unsubscribe {
  let touched = performance.now();
  let told = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    const left = touched + afterMs - performance.now();
    if (left > 0) {
      timer = setTimeout(look, left);
      return;
    }
    told = true;
    idle(true);
  };
  const sign = () => {
    touched = performance.now();
    if (!told) return;
    told = false;
    idle(false);
    look();
  };
  look();
  const stop = all([
    ...SIGNS.map((name): On => [window, name, sign]),
    [document, "visibilitychange", () => document.visibilityState === "visible" && sign()],
  ]);
  return () => {
    clearTimeout(timer);
    stop();
  };
}

type On = [EventTarget, string, () => unknown];

/** Capturing, so that no page keeps a sign to itself; passive, so that none is made to wait. */
function all(events: On[]): Unsubscribe {
  const how = { capture: true, passive: true };
  for (const [target, name, call] of events) target.addEventListener(name, call, how);
  return () => {
    for (const [target, name, call] of events) target.removeEventListener(name, call, how);
  };
}

/** What kind of device this page seems to be on. */
export function device(): Device {
  if (typeof matchMedia === "undefined" || !matchMedia("(pointer: coarse)").matches) return "desktop";
  return Math.min(screen.width, screen.height) < 600 ? "mobile" : "tablet";
}
