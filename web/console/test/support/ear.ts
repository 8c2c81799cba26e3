// What a page was told over its socket, frame by frame.

import type { Page } from "playwright-core";

interface Entry {
  readonly userId?: string;
  readonly accountId?: string;
  readonly status?: string;
}

interface Frame {
  readonly t: string;
  readonly join?: readonly Entry[];
  readonly update?: readonly Entry[];
  readonly leave?: readonly Entry[];
}

export interface Told {
  readonly how: "join" | "update" | "leave";
  readonly entry: Entry;
}

export class Ear {
  /** As they came, over all of the page's connections. */
  readonly frames: Frame[] = [];
  /** All of it, as text. */
  text = "";

  /** Listens from the page's first connection on: for `prepare` of a visit. */
  readonly listen = (page: Page): void => {
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => {
        this.text += `${payload}\n`;
        this.frames.push(JSON.parse(`${payload}`) as Frame);
      });
    });
  };

  /** What it was told of somebody, or of an account, in that order. */
  of(id: string): Told[] {
    return this.frames.flatMap((frame) =>
      (["join", "update", "leave"] as const).flatMap((how) =>
        (frame[how] ?? [])
          .filter(({ userId, accountId }) => (accountId ?? userId) === id)
          .map((entry) => ({ how, entry })),
      ),
    );
  }

  /** The same in short: `join online`, `update offline`, `leave`. */
  words(id: string): string[] {
    return this.of(id).map(({ how, entry }) => [how, entry.status].filter(Boolean).join(" "));
  }

  count(t: string): number {
    return this.frames.filter((frame) => frame.t === t).length;
  }
}
