// What the page System reckons of its answers: their course, what is wrong, and the lines of its cards.

import { describe, expect, it } from "vitest";
import type { System } from "../../src/contract.js";
import { after, type Course, lately, lines, seen } from "../../src/system/course.js";
import { rate } from "../../src/system/figures.js";
import {
  connected,
  heart,
  isNothing,
  jobs,
  refusals,
  store,
  tiles,
  traffic,
  writer,
} from "../../src/system/sections.js";
import { conditions, verdict, warnings } from "../../src/system/warnings.js";
import { evening, histogram, outage, system } from "../support/figures.js";

/** The course of answers that come every so many seconds. */
function course(answers: readonly System[], every = 2): Course {
  const [first, ...others] = answers;
  if (!first) throw new Error("no answer");
  let [now, at] = [after(undefined, first, 0, 0), 0];
  for (const answer of others) {
    at += every * 1_000;
    now = after(now, answer, at, at);
  }
  return now;
}

/** The next answer, so many seconds later. */
const next = (of: Course, answer: System, seconds = 2) =>
  after(of, answer, of.now.at + seconds * 1_000, of.now.clock + seconds * 1_000);

const said = (of: Course) => warnings(of).map(({ says }) => says);

const row = (rows: readonly { name: string }[], name: string) => rows.find((is) => is.name === name);

describe("the course", () => {
  const frames = (n: number) => system({ frames_total: n });
  const now = (of: Course) => rate(lately(of), "frames_total");

  it("has rates from the second answer on", () => {
    expect(now(course([frames(10)]))).toBeUndefined();
    expect(now(course([frames(10), frames(30)]))).toBe(10);
  });

  it("has rates of the last ten seconds", () => {
    const quiet = course([frames(0), frames(1_000), ...Array.from({ length: 5 }, () => frames(1_000))]);
    expect(now(quiet)).toBe(0);
    expect(now(course([frames(0), ...Array.from({ length: 5 }, () => frames(1_000))]))).toBe(100);
  });

  it("still has one where answers come seldom", () => {
    expect(now(course([frames(0), frames(24)], 12))).toBe(2);
  });

  it("begins anew when the hub is started again", () => {
    const again = course([frames(900), frames(1_000), frames(40)]);
    expect(now(again)).toBeUndefined();
    expect(now(next(again, frames(60)))).toBe(10);
    expect(said(again)).toEqual(["The hub was started again."]);
    expect(said(next(next(again, frames(60)), frames(5)))).toEqual(["The hub was started again 2 times."]);
  });

  it("sees that in any of the counters", () => {
    const of = (a: number, b: number) => system({ "errors_total{code=a}": a, "errors_total{code=b}": b });
    expect(said(course([of(5, 5), of(4, 50)]))).toEqual(["The hub was started again."]);
    expect(said(course([of(5, 5), of(5, 50)]))).toEqual([]);
    expect(said(course([system({ connections: 9 }), system({ connections: 3 })]))).toEqual([]);
  });

  it("begins anew after a long silence", () => {
    const silent = next(course([frames(0), frames(20)]), frames(2_000), 16);
    expect(now(silent)).toBeUndefined();
    expect(now(next(silent, frames(2_010)))).toBe(5);
    expect(said(silent)).toEqual([]);
  });

  it("knows three minutes, and no more", () => {
    const long = course(Array.from({ length: 200 }, (_, n) => frames(20 * n)));
    expect(long.said).toHaveLength(91);
    expect(long.now.at - (long.said[0]?.at ?? 0)).toBe(180_000);
  });

  it("is drawn as lines that are broken where nothing can be compared", () => {
    const of = course([frames(0), frames(20), frames(40), frames(2), frames(4)]);
    expect(lines(of, ({ figures: is }) => is.sum("frames_total"))).toEqual([
      [
        { ago: 8_000, value: 0 },
        { ago: 6_000, value: 20 },
        { ago: 4_000, value: 40 },
      ],
      [
        { ago: 2_000, value: 2 },
        { ago: 0, value: 4 },
      ],
    ]);
    const flow = lines(of, (to, from) => rate(from && { from, to }, "frames_total"));
    expect(flow.map((line) => line.map(({ value }) => value))).toEqual([[10, 10], [1]]);
  });
});

describe("what is wrong", () => {
  it("is nothing where all is well", () => {
    const of = course([evening(1), evening(2)]);
    expect(said(of)).toEqual([]);
    expect(verdict(warnings(of))).toBe("well");
    expect(conditions(of).map(({ says }) => says)).toEqual([
      "The directory was read",
      "Connections are taken",
      "The database can be read and written",
      "Changes in the database are followed",
      "No activity waits on the hub's disk",
      "No hiding waits on the hub's disk",
    ]);
  });

  it.each([
    ["directory", "The directory was not read yet.", "bad"],
    ["accepting", "No connections are taken.", "bad"],
    ["store", "The database cannot be read or written.", "bad"],
    ["follower", "Changes in the database are not followed.", "warn"],
    ["backlog", "Activity waits on the hub's disk.", "warn"],
    ["spool", "Hidings wait on the hub's disk.", "warn"],
    ["cluster", "“cluster” does not hold.", "warn"],
  ])("is that %s does not hold", (name, says, level) => {
    const found = warnings(course([system({}, { [name]: false })]));
    expect(found).toMatchObject([{ says, level }]);
    expect(found[0]?.clock).toBeUndefined();
    expect(verdict(found)).toBe(level);
  });

  it("is bad where an unknown condition keeps clients away", () => {
    const is = system();
    const health = { ready: false, degraded: [], conditions: { ...is.health.conditions, cluster: false } };
    expect(warnings(course([{ ...is, health }]))).toMatchObject([{ level: "bad" }]);
  });

  it("is that views are stale, rather than that the follower does not follow", () => {
    const stale = course([outage(1)]);
    expect(said(stale)).toEqual([
      "The database cannot be read or written.",
      "Viewers are told that what they see may be old: the database was heard 43 s ago.",
      "Activity waits on the hub's disk.",
      "Hidings wait on the hub's disk.",
    ]);
    expect(said(course([system({ follower_age_seconds: 30 })]))).toEqual([]);
    expect(said(course([system({ follower_age_seconds: 30.1 })]))).toHaveLength(1);
  });

  it("is a mailbox that is more than half full", () => {
    expect(said(course([system({ mailbox_waiting: 2_048 })]))).toEqual([]);
    expect(said(course([system({ mailbox_waiting: 2_049 })]))).toEqual([
      "The heart does not keep up: 2,049 inputs wait.",
    ]);
  });

  it.each([
    ["mailbox_seconds", "", "An input of ten waits 1.9 s and longer for the heart."],
    ["request_seconds", "", undefined],
    [
      "database_acquire_seconds",
      "pool=usual",
      "Work of ten waits 1.9 s and longer for a connection to the database.",
    ],
  ])("is that %s are long, by enough of them", (name, labels, says) => {
    const given = (n: number) =>
      system(
        histogram(
          name,
          [
            ["0.1", 0],
            ["0.5", 0],
            ["2", n],
            ["+Inf", 0],
          ],
          labels,
        ),
      );
    expect(said(course([given(0), given(9)]))).toEqual([]);
    expect(said(course([given(0), given(10)]))).toEqual(says ? [says] : []);
  });

  it("is that requests take more than two seconds", () => {
    const given = (n: number) =>
      system(
        histogram("request_seconds", [
          ["2", 0],
          ["10", n],
          ["+Inf", 0],
        ]),
      );
    expect(said(course([given(0), given(10)]))).toEqual(["A request of a hundred takes 9.9 s and longer."]);
  });

  it("is that many clients do not read, or somebody tries codes", () => {
    const readers = (n: number) => system({ "close_codes_total{code=too_slow}": n });
    expect(said(course([readers(100), readers(105)]))).toEqual([]);
    expect(said(course([readers(100), readers(106)]))).toEqual([
      "6 clients did not read what they were sent.",
    ]);
    const codes = (n: number) => system({ codes_refused_total: n });
    expect(said(course([codes(0), codes(2)]))).toEqual([]);
    expect(said(course([codes(0), codes(3)]))).toEqual([
      "Somebody tries access codes: 1.5 wrong ones a second.",
    ]);
  });

  it("is what was counted since the page was opened, until it is seen", () => {
    const lost = (n: number) => system({ writer_dropped_total: n });
    const opened = course([lost(5)]);
    expect(said(opened)).toEqual([]);
    const later = next(next(opened, lost(7)), lost(7));
    expect(warnings(later)).toMatchObject([
      { says: "2 notes of activity were lost.", level: "bad", clock: 2_000 },
    ]);
    expect(said(next(later, lost(10)))).toEqual(["5 notes of activity were lost."]);
    expect(said(seen(later))).toEqual([]);
    expect(said(next(seen(later), lost(8)))).toEqual(["1 note of activity was lost."]);
  });

  it("is also what a hub counted that was started again meanwhile", () => {
    const of = (n: number) => system({ inputs_total: n, "log_lines_total{level=error}": n });
    expect(said(next(course([of(50)]), of(2)))).toEqual([
      "The hub was started again.",
      "The log has 2 new lines at level error.",
    ]);
  });

  it.each([
    ["writer_dropped_total", "1 note of activity was lost.", "bad"],
    ["spool_refusals_total", "1 hiding was refused.", "bad"],
    ["backlog_failures_total", "The disk under the backlog failed 1 time.", "bad"],
    ["refused_connections_total{reason=total}", "1 connection was turned away: the hub is full.", "bad"],
    [
      "refused_connections_total{reason=address}",
      "1 connection was turned away: too many from one address.",
      "bad",
    ],
    ["accept_errors_total", "The system could not give 1 connection.", "bad"],
    ["errors_total{code=internal,way=rest}", "The hub failed in 1 answer.", "warn"],
    ["close_codes_total{code=internal_error}", "The hub failed in 1 answer.", "warn"],
    ["log_lines_total{level=error}", "The log has 1 new line at level error.", "warn"],
    ["writer_refused_total", "1 row was set aside that the database will never take.", "warn"],
    ["backlog_corrupt_lines_total", "1 line of the backlog was damaged.", "warn"],
    ["gaps_total", "1 mark of missing rows was written.", "warn"],
    ["job_failures_total{name=archive}", "1 run of a job failed.", "warn"],
  ])("is a rise of %s", (series, says, level) => {
    const of = (n: number) => system({ [series]: n });
    expect(warnings(course([of(3), of(4)]))).toMatchObject([{ says, level }]);
    expect(warnings(course([of(3), of(3)]))).toEqual([]);
  });

  it("is not what happens every day", () => {
    const of = (n: number) =>
      system({
        "log_lines_total{level=warn}": n,
        "errors_total{code=rate_limited,way=socket}": n,
        "close_codes_total{code=normal}": n,
        writer_coalesced_total: n,
        tokens_refused_total: n,
      });
    expect(warnings(course([of(3), of(90)]))).toEqual([]);
  });

  it("is keys that cannot be fetched, more often than now and then", () => {
    const of = (n: number) => system({ key_fetch_failures_total: n });
    expect(said(course([of(3), of(5)]))).toEqual([]);
    expect(said(course([of(3), of(5), of(6)]))).toEqual([
      "The keys of an issuer of tokens could not be fetched 3 times.",
    ]);
  });

  it("has the worst first", () => {
    const of = (n: number) => system({ "log_lines_total{level=error}": n, writer_dropped_total: n });
    const found = warnings(course([of(0), of(1)]));
    expect(found.map(({ level }) => level)).toEqual(["bad", "warn"]);
    expect(verdict(found)).toBe("bad");
  });
});

describe("a card", () => {
  const of = course([evening(0), evening(1), evening(2), evening(3)]);

  it("says who is connected", () => {
    expect(row(connected(of), "Users known")).toEqual({ name: "Users known", value: "10,240" });
    expect(row(connected(of), "Extensions")).toEqual({ name: "Extensions", value: "84" });
  });

  it("says what goes out per second, and how long requests take", () => {
    const quick = course([
      system({ frames_total: 0, frame_bytes_total: 0 }),
      system({
        frames_total: 7,
        frame_bytes_total: 4_096,
        ...histogram("request_seconds", [
          ["0.01", 10],
          ["+Inf", 10],
        ]),
      }),
    ]);
    expect(row(traffic(quick), "Frames out")).toEqual({ name: "Frames out", value: "3.5/s" });
    expect(row(traffic(quick), "Bytes out")).toEqual({ name: "Bytes out", value: "2 KiB/s" });
    expect(row(traffic(quick), "A request, p50")).toMatchObject({ value: "10 ms" });
    expect(row(traffic(quick), "A request, p99")).toMatchObject({ value: "> 10 ms" });
    expect(row(traffic(course([system()])), "Frames out")).toMatchObject({ value: "–" });
    expect(row(traffic(course([system()])), "A request, p99")).toMatchObject({ value: "–" });
  });

  it("says how full the mailbox is", () => {
    const full = course([system({ mailbox_waiting: 1_024 })]);
    expect(row(heart(full), "Waiting for it")).toEqual({
      name: "Waiting for it",
      value: "1,024 of 4,096",
      share: 0.25,
    });
  });

  it("says of each pool how many are busy, by their names", () => {
    expect(row(store(of), "Pool “usual”")).toEqual({ name: "Pool “usual”", value: "3 busy of 10" });
    expect(row(store(of), "Pool “reserved”")).toEqual({ name: "Pool “reserved”", value: "1 busy of 2" });
    expect(store(course([system()])).some(({ name }) => name.startsWith("Pool"))).toBe(false);
  });

  it("lets the eye pass over what is nought or not known, and over nothing else", () => {
    const is = (value: string) => isNothing({ name: "", value });
    expect(["0", "–", "0/s", "0 B", "0 ms", "0 of 4,096"].map(is)).not.toContain(false);
    expect(["0.4 ms", "10", "1 of 2", "< 0.1/s", "05", "just now"].map(is)).not.toContain(true);
  });

  it("says what is not as it should be", () => {
    const away = course([outage(1), outage(2)]);
    expect(row(store(away), "Followed")).toEqual({ name: "Followed", value: "No", level: "warn" });
    expect(row(store(away), "Heard last")).toEqual({ name: "Heard last", value: "43 s ago", level: "bad" });
    expect(row(store(of), "Heard last")).toEqual({ name: "Heard last", value: "just now" });
    expect(row(writer(away), "Rows waiting on disk")).toMatchObject({ value: "18,400", level: "warn" });
    for (const rows of [connected(of), traffic(of), heart(of), store(of), writer(of)])
      expect(rows.filter(({ level }) => level)).toEqual([]);
  });

  it("says what was refused, most of all now first, and nothing that never was", () => {
    const refused = (now: number) =>
      system({
        "errors_total{code=forbidden,way=rest}": 900,
        "errors_total{code=rate_limited,way=rest}": 4 + now,
        "errors_total{code=rate_limited,way=socket}": 4 + now,
        "errors_total{code=unavailable,way=rest}": 0,
      });
    expect(refusals(course([refused(0), refused(3)]), "errors_total")).toEqual([
      { code: "rate_limited", perSecond: 3, total: 14 },
      { code: "forbidden", perSecond: 0, total: 900 },
    ]);
    expect(refusals(course([refused(0)]), "errors_total").map(({ code }) => code)).toEqual([
      "forbidden",
      "rate_limited",
    ]);
  });

  it("says which jobs were done, and what they took", () => {
    expect(jobs(of)).toEqual([
      { name: "expire", runs: 8, failures: 1, took: "363 ms" },
      { name: "rollups", runs: 481, failures: 0, took: "245 ms" },
      { name: "stale presence", runs: 96, failures: 0, took: "6.2 ms" },
    ]);
    expect(jobs(course([system({ "job_runs_total{name=archive}": 0 })]))).toEqual([]);
  });

  it("has the main figures with the highest of their lines", () => {
    const wave = (n: number, connections: number) => system({ frames_total: n, connections, extensions: 2 });
    const [people, frames] = tiles(course([wave(0, 5), wave(100, 9), wave(100, 3)]));
    expect(people).toMatchObject({ name: "Connections", value: "5", most: "11" });
    expect(frames).toMatchObject({ name: "Frames", value: "25", unit: "/s", most: "50/s" });
    expect(tiles(course([wave(0, 5)]))[1]).toMatchObject({ value: "–", most: undefined, lines: [] });
  });
});
