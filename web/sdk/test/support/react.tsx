// Components in front of a fake hub, with the clock in the test's hand.

import { act, cleanup, type RenderResult, render } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { vi } from "vitest";
import { createPresence, type Presence } from "../../src/index.js";
import type { Record } from "../../src/protocol/server.js";
import { PresenceProvider } from "../../src/react/index.js";
import { type FakeConnection, fakeHub, settled } from "./fake.js";

export const WEDDING = "wedding:2a4c6e80-1b3d-4f5a-8c7e-9d0b1c2d3e04";
export const OTHER = "wedding:3b5d7f91-2c4e-4a6b-9d8f-0e1c2d3e4f15";
export const ORGANIZATION = "4c6e80a2-3d5f-4b7c-8e90-1f2d3e4f5a06";
export const BOARD = `organization:${ORGANIZATION}`;
export const ANN = "6f1c0c1e-0a3b-4c55-9d0e-3f7f5f6b1a01";
export const BEN = "8b7a2d44-52f3-4f0a-8f6e-0c9d2e4b5a02";
export const DESK = "5d7f91b3-4e60-4c8d-9fa1-203e4f5a6b07";

/** A component that is nothing but this; hooks may be used in it. */
export function Draws({ what }: { what: () => ReactNode }): ReactNode {
  return what();
}

/** The timers that the SDK uses. React has others of its own, which go on. */
export function fakeTime(): void {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
}

export class Stage {
  readonly hub = fakeHub();
  readonly presence: Presence = createPresence({
    url: "ws://hub/ws",
    token: () => "token",
    WebSocket: this.hub.WebSocket,
    device: "desktop",
    remember: false,
  });

  get connection(): FakeConnection {
    return this.hub.last();
  }

  inside(children: ReactNode): ReactNode {
    return <PresenceProvider presence={this.presence}>{children}</PresenceProvider>;
  }

  /** Shows it below a provider, and lets the connection begin. */
  async show(children: ReactNode, strict = false): Promise<RenderResult> {
    const page = this.inside(children);
    const shown = render(strict ? <StrictMode>{page}</StrictMode> : page);
    await act(settled);
    return shown;
  }

  /** Shows it, says welcome, and grants what was asked for with these entries. */
  async live(children: ReactNode, join: Record[] = []): Promise<RenderResult> {
    const shown = await this.show(children);
    await this.welcome();
    if (this.connection.count("subscribe") > 0) await act(() => this.connection.grant(1, join));
    return shown;
  }

  welcome(): Promise<void> {
    return act(() => this.connection.welcome());
  }

  /** The hub says it, and what follows from that is done. */
  say(...frames: Parameters<FakeConnection["say"]>): Promise<void> {
    return act(async () => {
      this.connection.say(...frames);
      await settled();
    });
  }

  /** Acknowledges all that was asked since, whatever it was. */
  readonly #acked = new Set<unknown>();
  ack(): Promise<void> {
    return act(async () => {
      for (const frame of this.connection.sent) {
        if (!("id" in frame) || frame.t === "subscribe" || this.#acked.has(frame)) continue;
        this.#acked.add(frame);
        this.connection.say({ t: "ack", re: frame.id });
      }
      await settled();
    });
  }

  pass(ms: number): Promise<void> {
    return act(async () => {
      await vi.advanceTimersByTimeAsync(ms);
    });
  }

  /** After each test. */
  end(): void {
    cleanup();
    this.presence.close();
    vi.useRealTimers();
  }
}
