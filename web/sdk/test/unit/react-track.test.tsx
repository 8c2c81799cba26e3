// @vitest-environment happy-dom

import { act } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clientOf } from "../../src/react/client.js";
import { useTrack, useTrackEverywhere } from "../../src/react/index.js";
import { settled } from "../support/fake.js";
import { fakeTime, OTHER, Stage, WEDDING } from "../support/react.js";

let stage: Stage;

beforeEach(() => {
  fakeTime();
  stage = new Stage();
});

afterEach(() => stage.end());

let typing: (isTyping: boolean) => void = () => {};

function Here({ channel = WEDDING, page }: { channel?: string | null; page?: string }) {
  typing = useTrack(channel, { currentPage: page });
  return null;
}

function Everywhere({ page }: { page?: string }) {
  useTrackEverywhere({ currentPage: page });
  return null;
}

/** What is wanted now, without the device. */
function wanted() {
  const { device: _, ...track } = stage.presence.me.get().track ?? {};
  return track;
}

/** All that the hub was told since the hello. */
function told(): unknown[] {
  const tracks = stage.connection.sent.filter(({ t }) => t === "track" || t === "untrack");
  return tracks.map((frame) => (frame.t === "track" ? frame.track : frame.t));
}

/** Lets everything that is due be said and acknowledged. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await stage.ack();
    await stage.pass(1_100);
  }
}

async function change(children: React.ReactNode, shown: { rerender(ui: React.ReactNode): void }) {
  shown.rerender(stage.inside(children));
  await act(settled);
}

describe("useTrack", () => {
  it("is there with the hello, and not any more a second after it has gone", async () => {
    const shown = await stage.live(<Here page="/timeline" />);
    expect(stage.connection.last("hello").track).toMatchObject({ in: [WEDDING], currentPage: "/timeline" });
    await change(null, shown);
    await stage.pass(900);
    expect(told()).toEqual([]);
    await stage.pass(200);
    expect(told()).toEqual(["untrack"]);
    expect(stage.presence.me.get().track).toBeUndefined();
  });

  it("takes leave before the connection is closed", async () => {
    const shown = await stage.live(<Here />);
    shown.unmount();
    await stage.pass(5_000);
    expect(told()).toEqual(["untrack"]);
    expect(stage.presence.connection.get().state).toBe("closed");
  });

  it("goes from page to page, by one component or by two, and never leaves", async () => {
    const shown = await stage.live(<Here key="a" page="/a" />);
    await change(<Here key="a" page="/b" />, shown);
    await quiet();
    await change(<Here key="c" page="/c" />, shown);
    await quiet();
    await change(<Here key="c" />, shown);
    await quiet();
    expect(told()).toMatchObject([
      { in: [WEDDING], currentPage: "/b" },
      { in: [WEDDING], currentPage: "/c" },
      { in: [WEDDING] },
    ]);
    expect(wanted()).toEqual({ status: "online", in: [WEDDING] });
  });

  it("waits for a page that is late", async () => {
    const shown = await stage.live(<Here page="/a" />);
    await change(null, shown);
    await stage.pass(800);
    await change(<Here key="late" page="/a" />, shown);
    await stage.pass(10_000);
    expect(told()).toEqual([]);
  });

  it("is there as long as one of several is, with the page of the last that names one", async () => {
    const all = (frame: boolean, timeline: boolean, guests: boolean) => (
      <>
        {frame && <Here key="frame" />}
        {timeline && <Here key="timeline" page="/timeline" />}
        {guests && <Here key="guests" page="/guests" />}
      </>
    );
    const shown = await stage.live(all(true, true, false));
    expect(wanted()).toMatchObject({ currentPage: "/timeline" });
    await change(all(true, true, true), shown);
    expect(wanted()).toMatchObject({ currentPage: "/guests" });
    await change(all(true, true, false), shown);
    expect(wanted()).toMatchObject({ currentPage: "/timeline" });
    await change(all(true, false, false), shown);
    expect(wanted()).toEqual({ status: "online", in: [WEDDING] });
    await change(all(false, true, false), shown);
    expect(wanted()).toMatchObject({ currentPage: "/timeline" });
    await change(all(true, true, false), shown);
    expect(wanted()).toMatchObject({ currentPage: "/timeline" });
    await change(all(false, false, false), shown);
    await quiet();
    expect(told().filter((track) => track === "untrack")).toHaveLength(1);
  });

  it("says what a turn comes to, and nothing on the way there", async () => {
    const both = (page: string) => (
      <>
        <Here key="frame" page="/frame" />
        <Here key="inner" page={page} />
      </>
    );
    const shown = await stage.live(both("/a"));
    await change(both("/b"), shown);
    await quiet();
    expect(told()).toMatchObject([{ currentPage: "/b" }]);
  });

  it("leaves a page alone that was said in another way", async () => {
    const shown = await stage.live(<Here />);
    void stage.presence.channel(WEDDING).track({ currentPage: "/by-hand" });
    await change(
      <>
        <Here />
        <Here key="second" />
      </>,
      shown,
    );
    expect(wanted()).toMatchObject({ currentPage: "/by-hand" });
  });

  it("goes with its channel, and shows no page of one in the other", async () => {
    const shown = await stage.live(<Here page="/a" />);
    await change(<Here channel={OTHER} page="/b" />, shown);
    expect(wanted()).toEqual({ status: "online", currentPage: "/b", in: [OTHER] });
    await quiet();
    for (const track of told())
      expect(track).not.toMatchObject({ in: [WEDDING, OTHER], currentPage: expect.anything() });
    expect(told().at(-1)).toMatchObject({ in: [OTHER], currentPage: "/b" });
    expect(told()).not.toContain("untrack");
  });

  it("is nowhere without a channel", async () => {
    const shown = await stage.live(<Here channel={null} page="/a" />);
    expect(stage.connection.last("hello").track).toBeUndefined();
    expect(() => typing(true)).not.toThrow();
    await change(<Here channel={WEDDING} page="/a" />, shown);
    expect(told()).toMatchObject([{ in: [WEDDING] }]);
    await change(<Here channel="" page="/a" />, shown);
    await quiet();
    expect(told().at(-1)).toBe("untrack");
  });

  it("says that somebody types, and that they do not when the component goes", async () => {
    const shown = await stage.live(
      <>
        <Here key="frame" />
        <Here key="text" page="/notes" />
      </>,
    );
    const before = typing;
    act(() => typing(true));
    expect(wanted()).toMatchObject({ isTyping: true });
    await quiet();
    expect(told()).toMatchObject([{ isTyping: true, currentPage: "/notes" }]);
    expect(typing).toBe(before);
    await change(<Here key="frame" />, shown);
    expect(wanted()).not.toHaveProperty("isTyping");
    act(() => before(true));
    await act(settled);
    expect(wanted()).not.toHaveProperty("isTyping");
  });

  it("stops typing at once when it was the last", async () => {
    const shown = await stage.live(<Here />);
    act(() => typing(true));
    await stage.ack();
    await change(null, shown);
    expect(wanted()).toEqual({ status: "online", in: [WEDDING] });
  });

  it("takes back a page that the hub does not take, and says why", async () => {
    const shown = await stage.live(<Here page="/a" />);
    await change(<Here page="/too-long" />, shown);
    expect(wanted()).toMatchObject({ currentPage: "/too-long" });
    const { id } = stage.connection.last("track");
    await stage.say({ t: "error", re: id, code: "invalid_value", message: "too long" });
    await stage.pass(30_000);
    expect(wanted()).toMatchObject({ currentPage: "/a" });
    expect(stage.presence.me.get().error).toMatchObject({ code: "invalid_value" });
    expect(told()).toHaveLength(1);
    await act(async () => stage.connection.end());
    await stage.pass(10);
    await act(() => stage.connection.welcome({ resume: { resumed: true, subscriptions: [] } }));
    await stage.pass(10_000);
    expect(told()).toEqual([]);
  });

  it("does not come back to a place that it has left, whatever is left to say there", async () => {
    await stage.live(null);
    const client = clientOf(stage.presence);
    const first = client.enter(WEDDING, undefined);
    first.typing(true);
    await act(settled);
    client.enter(OTHER, undefined);
    first.end();
    await quiet();
    expect(wanted()).toMatchObject({ in: [OTHER] });
  });
});

describe("useTrackEverywhere", () => {
  it("is in all channels, but not while one is tracked by itself", async () => {
    const shown = await stage.live(<Everywhere page="/home" />);
    expect(stage.connection.last("hello").track).toEqual({
      status: "online",
      device: "desktop",
      currentPage: "/home",
    });
    const both = (
      <>
        <Everywhere page="/home" />
        <Here page="/timeline" />
      </>
    );
    await change(both, shown);
    expect(wanted()).toEqual({ status: "online", currentPage: "/timeline", in: [WEDDING] });
    await change(<Everywhere page="/home" />, shown);
    await quiet();
    expect(wanted()).toEqual({ status: "online", currentPage: "/home" });
    await change(null, shown);
    await quiet();
    expect(told().at(-1)).toBe("untrack");
  });
});

describe("signing out", () => {
  it("is not undone by components that go after it", async () => {
    const shown = await stage.live(<Here page="/a" />);
    void stage.presence.signOut();
    await stage.ack();
    await act(async () => stage.connection.end(1000));
    await change(null, shown);
    await stage.pass(10_000);
    expect(stage.presence.me.get().track).toBeUndefined();
    expect(stage.presence.connection.get()).toMatchObject({ state: "ended" });
    expect(stage.hub.connections).toHaveLength(1);
    expect(told()).toEqual([]);
  });

  it("ends what is announced at once, and who signs in again is where the components are", async () => {
    await stage.live(<Here page="/a" />);
    void stage.presence.signOut();
    expect(stage.presence.me.get().track).toBeUndefined();
    await stage.ack();
    await act(async () => stage.connection.end(1000));
    await stage.pass(60_000);
    expect(stage.hub.connections).toHaveLength(1);
    stage.presence.connect();
    await act(settled);
    await stage.welcome();
    expect(wanted()).toEqual({ status: "online", currentPage: "/a", in: [WEDDING] });
    expect(told()).toMatchObject([{ currentPage: "/a", in: [WEDDING] }]);
  });
});
