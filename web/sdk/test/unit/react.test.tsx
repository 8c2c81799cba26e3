// @vitest-environment happy-dom

import { act, render, screen } from "@testing-library/react";
import { Component, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChannelOptions } from "../../src/index.js";
import {
  useConnection,
  useMyPresence,
  useOccupancy,
  usePresence,
  usePresenceClient,
  useSettings,
  useTrack,
  useTrackEverywhere,
} from "../../src/react/index.js";
import { settled } from "../support/fake.js";
import {
  ANN,
  BEN,
  BOARD,
  DESK,
  Draws,
  fakeTime,
  ORGANIZATION,
  OTHER,
  Stage,
  WEDDING,
} from "../support/react.js";

let stage: Stage;

beforeEach(() => {
  fakeTime();
  stage = new Stage();
});

afterEach(() => stage.end());

function text(): string {
  return document.body.textContent ?? "";
}

function People({ channel, options }: { channel?: string | undefined; options?: ChannelOptions }) {
  const { phase, people, error } = usePresence(channel, options);
  const list = people.map(({ userId, status }) => `${userId === BEN ? "ben" : "ann"} ${status}`);
  return <p>{[phase, ...list, error?.code].filter(Boolean).join(", ")}</p>;
}

describe("the provider", () => {
  it("connects when it is shown, and closes when it has been gone for two seconds", async () => {
    expect(stage.hub.connections).toHaveLength(0);
    const { unmount } = await stage.live(<p />);
    expect(stage.presence.connection.get().state).toBe("connected");
    unmount();
    await stage.pass(1_900);
    expect(stage.presence.connection.get().state).toBe("connected");
    await stage.pass(200);
    expect(stage.presence.connection.get().state).toBe("closed");
    expect(stage.connection.closedWith).not.toBe(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("goes and comes back without a second connection", async () => {
    const { unmount } = await stage.live(<People channel={WEDDING} />);
    unmount();
    await stage.pass(900);
    await stage.show(<People channel={WEDDING} />);
    await stage.pass(30_000);
    expect(stage.hub.connections).toHaveLength(1);
    expect(stage.connection.closedWith).toBeUndefined();
    expect(stage.connection.count("subscribe")).toBe(1);
    expect(stage.connection.count("unsubscribe")).toBe(0);
    expect(text()).toBe("live");
  });

  it("may be there twice for one presence: the last one closes it", async () => {
    const first = await stage.live(<p />);
    const second = await stage.show(<p />);
    first.unmount();
    await stage.pass(10_000);
    expect(stage.presence.connection.get().state).toBe("connected");
    second.unmount();
    await stage.pass(2_100);
    expect(stage.presence.connection.get().state).toBe("closed");
    expect(stage.hub.connections).toHaveLength(1);
  });

  it("changes over to another presence", async () => {
    const other = new Stage();
    const shown = await stage.live(<People channel={WEDDING} />, [{ userId: BEN, status: "busy" }]);
    expect(text()).toBe("live, ben busy");
    shown.rerender(other.inside(<People channel={WEDDING} />));
    await act(settled);
    expect(text()).toBe("loading");
    await other.welcome();
    await act(() => other.connection.grant(1, [{ userId: ANN, status: "away" }]));
    expect(text()).toBe("live, ann away");
    await stage.pass(2_100);
    expect(stage.presence.connection.get().state).toBe("closed");
    expect(other.presence.connection.get().state).toBe("connected");
    shown.unmount();
    other.end();
  });

  it("survives StrictMode with one connection, one subscription, one track and nothing given back", async () => {
    const seen: string[] = [];
    const page = () => {
      seen.push(usePresence(WEDDING).phase, useConnection().state);
      useTrack(WEDDING, { currentPage: "/timeline" });
      useOccupancy(ORGANIZATION);
      return null;
    };
    await stage.show(<Draws what={page} />, true);
    await stage.welcome();
    await act(() => stage.connection.grant(1));
    await stage.pass(30_000);
    expect(stage.hub.connections).toHaveLength(1);
    expect(stage.connection.closedWith).toBeUndefined();
    expect(stage.connection.sent.map(({ t }) => t)).toEqual(["hello", "subscribe"]);
    expect(stage.connection.last("hello").track).toMatchObject({ in: [WEDDING], currentPage: "/timeline" });
    expect(stage.connection.last("subscribe").channels).toHaveLength(2);
    expect(seen.at(-2)).toBe("live");
    expect(seen.at(-1)).toBe("connected");
  });

  it("is missed by name by every hook", () => {
    const hooks: { [name: string]: () => unknown } = {
      usePresence: () => usePresence(WEDDING),
      useOccupancy: () => useOccupancy(ORGANIZATION),
      useTrack: () => useTrack(WEDDING),
      useTrackEverywhere: () => useTrackEverywhere(),
      useMyPresence: () => useMyPresence(),
      useSettings: () => useSettings(),
      useConnection: () => useConnection(),
      usePresenceClient: () => usePresenceClient(),
    };
    const quiet = vi.spyOn(console, "error").mockImplementation(() => {});
    for (const [name, use] of Object.entries(hooks)) {
      render(
        <Boundary>
          <Draws what={() => void use()} />
        </Boundary>,
      );
      expect(screen.getByText(`${name}: there is no <PresenceProvider> above this component`)).toBeTruthy();
    }
    quiet.mockRestore();
  });
});

class Boundary extends Component<{ children: ReactNode }> {
  override state: { message?: string } = {};
  static getDerivedStateFromError(error: Error) {
    return { message: error.message };
  }
  override render() {
    return this.state.message ?? this.props.children;
  }
}

describe("usePresence", () => {
  it("shows who comes, changes and goes", async () => {
    await stage.show(<People channel={WEDDING} />);
    expect(text()).toBe("loading");
    await stage.welcome();
    await act(() => stage.connection.grant(1, [{ userId: BEN, status: "busy" }]));
    expect(text()).toBe("live, ben busy");
    await stage.say({ t: "diff", sub: 1, seq: 2, join: [{ userId: ANN, status: "online" }] });
    expect(text()).toBe("live, ann online, ben busy");
    await stage.say({ t: "diff", sub: 1, seq: 3, leave: [{ userId: BEN }] });
    expect(text()).toBe("live, ann online");
  });

  it("gives the channel back a second after its component has gone", async () => {
    const shown = await stage.live(<People channel={WEDDING} />);
    shown.rerender(stage.inside(<p />));
    await stage.pass(900);
    expect(stage.connection.count("unsubscribe")).toBe(0);
    await stage.pass(200);
    expect(stage.connection.last("unsubscribe").subscription).toBe(1);
  });

  it("follows its channel: the new one is asked for, the old one given back", async () => {
    const shown = await stage.live(<People channel={WEDDING} />, [{ userId: BEN, status: "busy" }]);
    shown.rerender(stage.inside(<People channel={OTHER} />));
    await act(settled);
    expect(text()).toBe("loading");
    expect(stage.connection.last("subscribe").channels).toMatchObject([{ channel: OTHER }]);
    await act(() => stage.connection.grant(2, [{ userId: ANN, status: "away" }]));
    expect(text()).toBe("live, ann away");
    await stage.say({ t: "diff", sub: 1, seq: 2, leave: [{ userId: BEN }] });
    expect(text()).toBe("live, ann away");
    await stage.pass(1_100);
    expect(stage.connection.last("unsubscribe").subscription).toBe(1);
  });

  it("watches nothing without a channel", async () => {
    const shown = await stage.live(<People />);
    expect(text()).toBe("loading");
    expect(stage.connection.count("subscribe")).toBe(0);
    shown.rerender(stage.inside(<People channel={WEDDING} />));
    await act(settled);
    await act(() => stage.connection.grant());
    expect(text()).toBe("live");
  });

  it("asks for more when its options ask for more, whatever object they are in", async () => {
    const shown = await stage.live(<People channel={WEDDING} options={{ people: "present" }} />);
    shown.rerender(stage.inside(<People channel={WEDDING} options={{ people: "present" }} />));
    await act(settled);
    expect(stage.connection.count("subscribe")).toBe(1);
    shown.rerender(
      stage.inside(<People channel={WEDDING} options={{ people: "roster", accounts: false }} />),
    );
    await act(settled);
    expect(stage.connection.last("subscribe").channels).toMatchObject([{ people: "roster" }]);
    await act(() => stage.connection.grant(2, [{ userId: BEN, status: "offline", lastSeen: null }]));
    expect(text()).toBe("live, ben offline");
  });

  it("says that a list may be old, and that it is not any more", async () => {
    await stage.live(<People channel={WEDDING} />, [{ userId: BEN, status: "busy" }]);
    await stage.say({ t: "stale", sub: 1, stale: true });
    expect(text()).toBe("stale, ben busy");
    await stage.say({ t: "stale", sub: 1, stale: false });
    expect(text()).toBe("live, ben busy");
    await act(async () => stage.connection.end());
    expect(text()).toBe("stale, ben busy");
    await stage.pass(10);
    await act(() =>
      stage.connection.welcome({
        resume: { resumed: true, subscriptions: [{ subscription: 1, resumed: true }] },
      }),
    );
    expect(text()).toBe("live, ben busy");
  });

  it("says that there is no such channel, at first or later", async () => {
    const shown = await stage.show(<People channel={WEDDING} />);
    await stage.welcome();
    const { id } = stage.connection.last("subscribe");
    await stage.say({ t: "subscribed", re: id, channels: [{ channel: WEDDING, error: "unknown_channel" }] });
    expect(text()).toBe("refused, unknown_channel");
    shown.rerender(stage.inside(<People channel={OTHER} />));
    await act(settled);
    await act(() => stage.connection.grant(1, [{ userId: BEN, status: "busy" }]));
    expect(text()).toBe("live, ben busy");
    await stage.say({ t: "ended", sub: 1, reason: "unknown_channel" });
    expect(text()).toBe("refused, unknown_channel");
  });

  it("shows the list of now to a handle that has seen another life of its channel", async () => {
    const shown = await stage.live(<People channel={WEDDING} />, [{ userId: BEN, status: "busy" }]);
    const handles = [];
    for (let seq = 2; seq < 10; seq += 1) {
      await stage.say({ t: "diff", sub: 1, seq, update: [{ userId: BEN, status: "away" }] });
      const handle = stage.presence.channel(WEDDING);
      expect(handle.get().people).toMatchObject([{ userId: BEN }]);
      handles.push(handle);
    }
    shown.rerender(stage.inside(<p />));
    await stage.pass(1_100);
    shown.rerender(stage.inside(<People channel={WEDDING} />));
    await act(settled);
    await act(() => stage.connection.grant(2, [{ userId: ANN, status: "online" }]));
    for (let seq = 2; seq < 6; seq += 1)
      await stage.say({ t: "diff", sub: 2, seq, update: [{ userId: ANN, status: "busy" }] });
    expect(text()).toBe("live, ann busy");
    for (const handle of handles) expect(handle.get().people).toMatchObject([{ userId: ANN }]);
  });

  it("is not disturbed by one who stops listening to an earlier life of its channel again", async () => {
    const shown = await stage.live(<p />);
    const stop = stage.presence.channel(WEDDING).subscribe(() => {});
    stop();
    await stage.pass(1_100);
    shown.rerender(stage.inside(<People channel={WEDDING} />));
    await act(settled);
    await act(() => stage.connection.grant(1, [{ userId: BEN, status: "busy" }]));
    stop();
    await stage.pass(5_000);
    expect(stage.connection.count("unsubscribe")).toBe(0);
    await stage.say({ t: "diff", sub: 1, seq: 2, update: [{ userId: BEN, status: "away" }] });
    expect(text()).toBe("live, ben away");
  });
});

describe("useOccupancy", () => {
  it("shows the accounts of an organization, and finds one, and asks for no people", async () => {
    const board = () => {
      const { phase, accounts, account } = useOccupancy(ORGANIZATION);
      return `${phase} ${accounts.length} ${account(DESK)?.holder} ${account("other")?.holder}`;
    };
    await stage.live(<Draws what={board} />, [{ accountId: DESK, holder: "occupied" }]);
    expect(stage.connection.last("subscribe").channels).toEqual([
      { channel: BOARD, people: "none", accounts: true },
    ]);
    expect(text()).toBe("live 1 occupied undefined");
    await stage.say({ t: "diff", sub: 1, seq: 2, leave: [{ accountId: DESK }] });
    expect(text()).toBe("live 0 undefined undefined");
  });

  it("says what is wrong, and watches nothing without an organization", async () => {
    const board = (organization?: string) => () => {
      const { phase, error } = useOccupancy(organization);
      return `${phase} ${error?.code}`;
    };
    const shown = await stage.live(<Draws what={board()} />);
    expect(stage.connection.count("subscribe")).toBe(0);
    expect(text()).toBe("loading undefined");
    shown.rerender(stage.inside(<Draws what={board(ORGANIZATION)} />));
    await act(settled);
    const { id } = stage.connection.last("subscribe");
    await stage.say({ t: "subscribed", re: id, channels: [{ channel: BOARD, error: "channel_limit" }] });
    expect(text()).toBe("refused channel_limit");
  });
});
