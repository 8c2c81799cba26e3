// @vitest-environment happy-dom

import { act } from "@testing-library/react";
import { memo, useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChannelOptions, ChannelState, PresenceRecord } from "../../src/index.js";
import {
  type Selector,
  useConnection,
  useMyPresence,
  useOccupancy,
  usePresence,
  useSettings,
} from "../../src/react/index.js";
import { shallow } from "../../src/react/select.js";
import { settled, WELCOME } from "../support/fake.js";
import { ANN, BEN, DESK, Draws, fakeTime, ORGANIZATION, OTHER, Stage, WEDDING } from "../support/react.js";

let stage: Stage;
/** What was drawn, each time. */
let drawn: unknown[];

beforeEach(() => {
  fakeTime();
  stage = new Stage();
  drawn = [];
});

afterEach(() => stage.end());

const BOTH: PresenceRecord[] = [
  { userId: ANN, status: "online" },
  { userId: BEN, status: "busy" },
];

/** Draws what is picked, by a selector that is another one each time. */
function Picked({ pick, options }: { pick: Selector<unknown>; options?: ChannelOptions }) {
  drawn.push(usePresence(WEDDING, (state, find) => pick(state, find), options));
  return null;
}

function Whole({ channel = WEDDING, options }: { channel?: string; options?: ChannelOptions }) {
  drawn.push(usePresence(channel, options));
  return null;
}

const Row = memo(({ id }: { id: string }) => {
  const holder = useOccupancy(ORGANIZATION, ({ account }) => account(id)?.holder);
  drawn.push([id, holder]);
  return null;
});

function Settings() {
  drawn.push(useSettings()[0]);
  return null;
}
function Me() {
  drawn.push(useMyPresence()[0]);
  return null;
}
function Line() {
  drawn.push(useConnection());
  return null;
}

/** What is drawn while the frames come. */
async function drawnBy(...frames: Parameters<Stage["say"]>): Promise<unknown[]> {
  drawn = [];
  await stage.say(...frames);
  return drawn;
}

function diff(seq: number, ...update: PresenceRecord[]) {
  return { t: "diff", sub: 1, seq, update };
}

describe("a component with a selector", () => {
  it("is not drawn anew by what it does not see", async () => {
    await stage.live(<Picked pick={(_, find) => find.person(ANN)} />, BOTH);
    expect(drawn.at(-1)).toEqual({ userId: ANN, status: "online" });
    expect(await drawnBy(diff(2, { userId: BEN, status: "away" }))).toEqual([]);
    const left = { t: "diff", sub: 1, seq: 3, leave: [{ userId: BEN }] };
    expect(await drawnBy(left)).toEqual([]);
    expect(await drawnBy(diff(4, { userId: ANN, status: "away" }))).toEqual([
      { userId: ANN, status: "away" },
    ]);
  });

  it("is drawn once by a frame with many changes", async () => {
    await stage.live(<Picked pick={({ people }) => people.map(({ status }) => status)} />, BOTH);
    const frame = {
      ...diff(2, { userId: ANN, status: "away" }, { userId: BEN, status: "away" }),
      join: [{ userId: DESK, status: "online" }],
    };
    expect(await drawnBy(frame)).toEqual([["online", "away", "away"]]);
  });

  it("is not drawn anew by a new list or object with the same in it", async () => {
    await stage.live(
      <>
        <Picked pick={({ people }) => people.map(({ userId }) => userId)} />
        <Picked pick={({ people, phase }) => ({ n: people.length, phase })} />
      </>,
      BOTH,
    );
    expect(await drawnBy(diff(2, { userId: BEN, status: "away" }))).toEqual([]);
    const left = { t: "diff", sub: 1, seq: 3, leave: [{ userId: BEN }] };
    expect(await drawnBy(left)).toEqual([[ANN], { n: 1, phase: "live" }]);
  });

  it("is drawn once by each change where it always picks something new, and does not go round", async () => {
    const nested: Selector<unknown> = ({ people }) => people.map(({ status }) => ({ status }));
    await stage.live(<Picked pick={nested} />, BOTH);
    expect(drawn.length).toBeLessThan(5);
    expect(await drawnBy(diff(2, { userId: BEN, status: "away" }))).toHaveLength(1);
    expect(await drawnBy({ t: "heartbeat" })).toHaveLength(0);
    await stage.show(<Picked pick={() => new Map()} />);
    expect(await drawnBy(diff(3, { userId: BEN, status: "busy" }))).toHaveLength(2);
  });

  it("has the same object for as long as it says the same, however often it is drawn", async () => {
    const ids: Selector<unknown> = ({ people }) => people.map(({ userId }) => userId);
    const shown = await stage.live(<Picked pick={ids} />, BOTH);
    await drawnBy(diff(2, { userId: BEN, status: "away" }));
    const before = drawn.length;
    shown.rerender(stage.inside(<Picked pick={ids} />));
    shown.rerender(stage.inside(<Picked pick={ids} />));
    expect(drawn).toHaveLength(before + 2);
    expect(drawn[1]).toEqual([ANN, BEN]);
    expect(drawn[1]).toBe(drawn[0]);
  });

  it("picks with the selector of now", async () => {
    let choose: (userId: string) => void = () => {};
    const chosen = () => {
      const [userId, set] = useState(ANN);
      choose = set;
      drawn.push(usePresence(WEDDING, (_, find) => find.person(userId)?.status));
      return null;
    };
    await stage.live(<Draws what={chosen} />, BOTH);
    drawn = [];
    act(() => choose(BEN));
    expect(drawn).toEqual(["busy"]);
    expect(await drawnBy(diff(2, { userId: ANN, status: "away" }))).toEqual([]);
    expect(await drawnBy(diff(3, { userId: BEN, status: "away" }))).toEqual(["away"]);
  });

  it("is told nothing after it has gone", async () => {
    const picks = vi.fn(({ people }: ChannelState) => people.length);
    const shown = await stage.live(
      <>
        <Picked pick={picks} />
        <Whole />
      </>,
      BOTH,
    );
    shown.rerender(stage.inside(<Whole />));
    picks.mockClear();
    const errors = vi.spyOn(console, "error");
    expect(await drawnBy(diff(2, { userId: BEN, status: "away" }))).toHaveLength(1);
    expect(picks).not.toHaveBeenCalled();
    expect(errors).not.toHaveBeenCalled();
  });

  it("shows the error of its selector to the boundary above, and disturbs no other", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => {});
    const shown = stage.show(
      <Picked
        pick={() => {
          throw new Error("mine");
        }}
      />,
    );
    await expect(shown).rejects.toThrow("mine");
    await stage.live(<Whole />, BOTH);
    expect(await drawnBy(diff(2, { userId: BEN, status: "away" }))).toHaveLength(1);
    errors.mockRestore();
  });
});

describe("a component that shows a whole channel", () => {
  it("is drawn once by each frame that changes something", async () => {
    await stage.live(<Whole />, BOTH);
    const one = await drawnBy(diff(2, { userId: BEN, status: "away" }, { userId: ANN, status: "away" }));
    expect(one).toMatchObject([{ phase: "live", people: [{ status: "away" }, { status: "away" }] }]);
  });

  it("is not drawn by heartbeats, answers, settings, and what is said of other channels", async () => {
    await stage.live(
      <>
        <Whole />
        <Whole channel={OTHER} />
      </>,
      BOTH,
    );
    void stage.presence.track({ status: "busy" });
    drawn = [];
    await stage.ack();
    expect(drawn).toEqual([]);
    expect(
      await drawnBy(
        { t: "heartbeat" },
        { t: "settings", settings: WELCOME.settings },
        { t: "expiring", inMs: 60_000 },
        { t: "tomorrow" },
      ),
    ).toEqual([]);
    expect(await drawnBy({ t: "stale", sub: 2, stale: true })).toMatchObject([{ phase: "stale" }]);
  });

  it("is not drawn by what it did not ask for", async () => {
    const seen: unknown[] = [];
    const roster = () => {
      seen.push(usePresence(WEDDING, { people: "roster" }));
      return null;
    };
    const gone = { userId: DESK, status: "offline" as const };
    await stage.live(
      <>
        <Whole options={{ accounts: false }} />
        <Draws what={roster} />
      </>,
      [...BOTH, { ...gone, lastSeen: null }],
    );
    const before = seen.length;
    expect(await drawnBy(diff(2, { ...gone, lastSeen: "2026-11-21T09:41:00Z" }))).toEqual([]);
    expect(seen).toHaveLength(before + 1);
  });

  it("is drawn once when a list that comes anew is complete", async () => {
    await stage.live(<Whole />, BOTH);
    drawn = [];
    await act(async () => stage.connection.end());
    expect(drawn).toMatchObject([{ phase: "stale", people: BOTH }]);
    await stage.pass(10);
    drawn = [];
    await act(() => stage.connection.welcome({ resume: { resumed: false, reason: "unknown_session" } }));
    expect(drawn).toEqual([]);
    const { id } = stage.connection.last("subscribe");
    expect(
      await drawnBy(
        { t: "subscribed", re: id, channels: [{ channel: WEDDING, subscription: 1 }] },
        { t: "snapshot", sub: 1, seq: 1, join: BOTH.slice(0, 1), more: true },
      ),
    ).toEqual([]);
    expect(await drawnBy({ t: "snapshot", sub: 1, seq: 2, join: BOTH.slice(1), more: false })).toMatchObject([
      { phase: "live", people: BOTH },
    ]);
  });

  it("shares its list with all others that show it", async () => {
    await stage.live(
      <>
        <Whole />
        <Whole />
        <Whole options={{ people: "present", accounts: true }} />
      </>,
      BOTH,
    );
    const lists = await drawnBy(diff(2, { userId: BEN, status: "away" }));
    expect(lists).toHaveLength(3);
    expect(new Set(lists).size).toBe(1);
  });
});

describe("a board of a thousand rows", () => {
  const ids = Array.from(
    { length: 1_000 },
    (_, row) => `5d7f91b3-4e60-4c8d-9fa1-${`${row}`.padStart(12, "0")}`,
  );
  const [, , free = "", taken = ""] = ids;
  const board = ids.filter((id) => id !== free);

  it("draws the row that has changed and no other", async () => {
    await stage.live(
      ids.map((id) => <Row key={id} id={id} />),
      board.map((accountId) => ({ accountId, holder: "occupied" })),
    );
    expect(stage.connection.last("subscribe").channels).toHaveLength(1);
    const join = {
      t: "diff",
      sub: 1,
      seq: 2,
      join: [{ accountId: free, holder: "own", since: "2026-11-21T08:00:00Z" }],
    };
    expect(await drawnBy(join)).toEqual([[free, "own"]]);
    const leave = { t: "diff", sub: 1, seq: 3, leave: [{ accountId: taken }] };
    expect(await drawnBy(leave)).toEqual([[taken, undefined]]);
    expect(await drawnBy({ t: "heartbeat" })).toEqual([]);
  });

  it("is not drawn as a whole where nothing of it has changed", async () => {
    const whole = () => {
      drawn.push(useOccupancy(ORGANIZATION).accounts.length);
      return null;
    };
    await stage.live(<Draws what={whole} />, [{ accountId: taken, holder: "occupied" }, ...BOTH]);
    expect(await drawnBy(diff(2, { userId: BEN, status: "away" }))).toEqual([]);
    expect(await drawnBy({ t: "diff", sub: 1, seq: 3, leave: [{ accountId: taken }] })).toEqual([0]);
  });

  it("sorts its list once for all rows", async () => {
    await stage.live(
      ids.map((id) => <Row key={id} id={id} />),
      board.map((accountId) => ({ accountId, holder: "occupied" })),
    );
    const sorts = vi.spyOn(Array.prototype, "sort");
    await stage.say({ t: "diff", sub: 1, seq: 2, leave: [{ accountId: taken }] });
    const long = sorts.mock.contexts.filter((list) => (list as unknown[]).length > 900);
    sorts.mockRestore();
    expect(long).toHaveLength(1);
  });
});

describe("components that show what is one's own", () => {
  it("are drawn anew when it is another, not when it is said again", async () => {
    await stage.live(
      <>
        <Settings />
        <Me />
      </>,
    );
    expect(await drawnBy({ t: "heartbeat" }, { t: "settings", settings: { ...WELCOME.settings } })).toEqual(
      [],
    );
    await act(async () => stage.connection.end());
    await stage.pass(10);
    drawn = [];
    await act(() => stage.connection.welcome({ settings: { ...WELCOME.settings } }));
    expect(drawn).toEqual([]);
    const settings = { ...WELCOME.settings, visibility: "team" as const };
    expect(await drawnBy({ t: "settings", settings })).toEqual([settings]);
  });

  it("are drawn by each state of the connection once, and not by what is said on it", async () => {
    await stage.live(
      <>
        <Line />
        <Whole />
      </>,
      BOTH,
    );
    const states = drawn.flatMap((value) => (value as { state?: string }).state ?? []);
    expect(states).toEqual(["closed", "connecting", "connected"]);
    const frames = await drawnBy({ t: "heartbeat" }, diff(2, { userId: BEN, status: "away" }));
    expect(frames.filter((value) => "state" in (value as object))).toEqual([]);
  });

  it("draws an own change twice: when it is wanted and when the hub has it", async () => {
    await stage.live(<Me />);
    drawn = [];
    await act(async () => {
      void stage.presence.track({ status: "busy", currentPage: "/a" });
      await settled();
    });
    expect(drawn).toMatchObject([{ track: { status: "busy" }, pending: true }]);
    drawn = [];
    await stage.ack();
    expect(drawn).toMatchObject([{ track: { status: "busy" }, pending: false }]);
  });
});

describe("whether two values say the same", () => {
  it("looks into lists and plain objects, one level deep", () => {
    const part = {};
    expect(shallow([1, part], [1, part])).toBe(true);
    expect(shallow({ a: 1, b: part }, { b: part, a: 1 })).toBe(true);
    expect(shallow(Number.NaN, Number.NaN)).toBe(true);
    expect(shallow([], [])).toBe(true);
    for (const [a, b] of [
      [[1, 2], [1]],
      [
        [1, {}],
        [1, {}],
      ],
      [{ a: 1 }, { b: 1 }],
      [{ a: undefined }, { b: undefined }],
      [{ 0: "x" }, ["x"]],
      [new Map([[1, 2]]), new Map([[3, 4]])],
      [new Set([1]), new Set([2])],
      [new Error("a"), new Error("b")],
      [null, {}],
      [undefined, null],
      ["a", "b"],
    ])
      expect(shallow(a, b)).toBe(false);
  });
});
