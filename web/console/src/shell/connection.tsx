// Where the connection stands, in a few words.

import type { Connection } from "@presence-hub/sdk";
import { useConnection } from "@presence-hub/sdk/react";
import { useEffect, useState } from "preact/hooks";

export type Tone = "good" | "waiting" | "bad";

/** What the line says; `left`: seconds until the next attempt. */
export function line(connection: Connection, left: number): { tone: Tone; text: string } {
  switch (connection.state) {
    case "connected":
      return { tone: "good", text: "Live" };
    case "connecting":
      return { tone: "waiting", text: "Connecting…" };
    case "closed":
      return { tone: "waiting", text: "Not connected" };
    case "ended":
      return { tone: "bad", text: "Disconnected" };
    case "waiting":
      if (connection.reason.kind === "token") return { tone: "bad", text: "Sign-in ended" };
      return { tone: "waiting", text: left > 0 ? `Reconnecting in ${left} s` : "Reconnecting…" };
  }
}

/** What a screen reader is told: changes alone, not the seconds. */
export function spoken(connection: Connection): string {
  if (connection.state === "connected") return "The view is live.";
  if (connection.state === "waiting" || connection.state === "ended")
    return "The connection is lost. What you see may be old.";
  return "";
}

/** Seconds until the next attempt. */
function useCountdown(connection: Connection): number {
  const waits = connection.state === "waiting" ? connection.ms : 0;
  const [left, setLeft] = useState(Math.ceil(waits / 1_000));
  useEffect(() => {
    const until = performance.now() + waits;
    const count = () => setLeft(Math.max(0, Math.ceil((until - performance.now()) / 1_000)));
    count();
    if (waits === 0) return undefined;
    const timer = setInterval(count, 250);
    return () => clearInterval(timer);
  }, [connection, waits]);
  return left;
}

export function ConnectionLine() {
  const connection = useConnection();
  const { tone, text } = line(connection, useCountdown(connection));
  return (
    <p class={`connection connection-${tone}`}>
      <span class="connection-light" aria-hidden="true" />
      <span class="connection-text">{text}</span>
      <span class="sr-only" role="status">
        {spoken(connection)}
      </span>
    </p>
  );
}
