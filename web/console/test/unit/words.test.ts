import { describe, expect, it } from "vitest";
import {
  ago,
  badge,
  bytes,
  capital,
  clock,
  dateTime,
  duration,
  hour,
  initials,
  lastSeen,
  month,
  number,
  perSecond,
  seconds,
  timeOfDay,
  weekday,
} from "../../src/format.js";
import { routeOf } from "../../src/router.js";
import { line, spoken } from "../../src/shell/connection.js";
import { subjectOf, tokenOf } from "../../src/token.js";

const NOW = Date.parse("2026-11-21T14:30:30Z");

describe("a time", () => {
  it.each([
    ["2026-11-21T14:30:00Z", "en-US", "2:30 PM"],
    ["2026-11-21T14:30:00Z", "de-DE", "14:30"],
    ["2026-11-20T14:30:00Z", "en-US", "Nov 20, 2:30 PM"],
    ["no time", "en-US", ""],
  ])("%s in %s is %s", (iso, locale, text) => {
    expect(clock(iso, NOW, locale, "UTC")).toBe(text);
  });

  it("is of the reader's day, not that of the hub", () => {
    const late = Date.parse("2026-11-21T23:30:00Z");
    expect(clock("2026-11-21T20:00:00Z", late, "en-US", "Asia/Tokyo")).toBe("5:00 AM");
    expect(clock("2026-11-21T12:00:00Z", late, "en-US", "Asia/Tokyo")).toBe("Nov 21, 9:00 PM");
  });

  it("has a date where it is of long ago", () => {
    expect(dateTime("2026-11-20T14:30:00Z", "en-US", "UTC")).toBe("Nov 20, 2026, 2:30 PM");
    expect(dateTime("", "en-US", "UTC")).toBe("");
  });
});

describe("an age", () => {
  it.each([
    [30, "just now"],
    [-3_600, "just now"],
    [60, "1 minute ago"],
    [719, "11 minutes ago"],
    [3_600, "1 hour ago"],
    [86_399, "23 hours ago"],
    [86_400 * 2, "2 days ago"],
  ])("of %i s is %s", (seconds, text) => {
    expect(ago(new Date(NOW - seconds * 1_000).toISOString(), NOW)).toBe(text);
  });

  it("of somebody never seen is not one", () => {
    expect(lastSeen(null, NOW)).toBe("not seen yet");
    expect(lastSeen("2026-11-21T14:18:00Z", NOW)).toBe("last seen 12 minutes ago");
  });
});

describe("a figure", () => {
  it.each([
    [0, "< 1 min"],
    [0.4, "< 1 min"],
    [24, "24 min"],
    [60, "1 h"],
    [84.2, "1 h 24 min"],
    [7_859, "130 h"],
  ])("%d minutes are %s", (minutes, text) => expect(duration(minutes)).toBe(text));

  it.each([
    [0, ""],
    [1, "1"],
    [100, "100"],
    [101, "100+"],
  ])("a badge of %i is %s", (active, text) => expect(badge(active)).toBe(text));

  it.each([
    [0, "0"],
    [0.04, "< 0.1"],
    [3.44, "3.4"],
    [10.4, "10"],
    [1_203.6, "1,204"],
  ])("%d a second are %s", (n, text) => expect(perSecond(n, "en-US")).toBe(text));

  it.each([
    [0, "0 B"],
    [1_023, "1,023 B"],
    [1_024, "1 KiB"],
    [1_536, "1.5 KiB"],
    [3 * 1_048_576, "3 MiB"],
    [5_000 * 1_073_741_824, "5,000 GiB"],
  ])("%d bytes are %s", (n, text) => expect(bytes(n, "en-US")).toBe(text));

  it.each([
    [0, "0 ms"],
    [0.00042, "0.4 ms"],
    [0.012, "12 ms"],
    [0.9994, "999 ms"],
    [0.9996, "1 s"],
    [2.54, "2.5 s"],
    [42.6, "43 s"],
    [60, "1 min"],
    [3_540, "59 min"],
    [7_200, "2 h"],
  ])("%d seconds are %s", (n, text) => expect(seconds(n, "en-US")).toBe(text));

  it("of the day has seconds", () => {
    expect(timeOfDay(NOW, "en-US", "UTC")).toBe("2:30:30 PM");
    expect(timeOfDay(NOW, "de-DE", "Europe/Berlin")).toBe("15:30:30");
  });

  it("is written as the reader writes it", () => {
    expect([number(1234.56, "en-US"), number(1234.56, "de-DE")]).toEqual(["1,234.6", "1.234,6"]);
    expect([hour(0, "en-US"), hour(14, "en-US"), hour(14, "de-DE")]).toEqual(["12 AM", "2 PM", "14 Uhr"]);
    expect([weekday(1, "short", "en-US"), weekday(7, "long", "en-US")]).toEqual(["Mon", "Sunday"]);
    expect([month(1, "short", "en-US"), month(12, "long", "en-US")]).toEqual(["Jan", "December"]);
  });
});

describe("a name", () => {
  it.each([
    ["Olga Novak", "ON"],
    ["Vera van der Lind", "VL"],
    ["Inês", "I"],
    ["", ""],
    ["<img src=x>", "S"],
    ["李 小龙", "李小"],
    ["🎉 Party", "P"],
  ])("%s has the letters %s", (name, letters) => expect(initials(name)).toBe(letters));

  it("begins a line", () =>
    expect([capital("wedding planner"), capital("")]).toEqual(["Wedding planner", ""]));
});

describe("an address", () => {
  it.each([
    ["#/accounts", { page: "accounts", rest: "" }],
    ["#/system", { page: "system", rest: "" }],
    ["#/accounts/7c9e", { page: "accounts", rest: "7c9e" }],
    ["#/nothing", { page: undefined, rest: "" }],
    ["", { page: undefined, rest: "" }],
    ["#token=x", { page: undefined, rest: "" }],
  ])("%s is %o", (hash, route) => expect(routeOf(hash)).toEqual(route));

  it("has a token, or none", () => {
    expect(tokenOf("#token=a.b.c")).toBe("a.b.c");
    expect(tokenOf("#token=a%2Eb&more=1")).toBe("a.b");
    expect([tokenOf("#token="), tokenOf("#/token=a"), tokenOf("#token=%E0%A4%A"), tokenOf("")]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("a token", () => {
  const token = (claims: unknown) => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.y`;
  it("says whom it is for", () => {
    expect(subjectOf(token({ sub: "8b7a", name: "Zoë??>>" }))).toBe("8b7a");
    for (const none of ["", "a", "a.b.c", token({}), token({ sub: 7 }), token(null), "x.e30.y"])
      expect(subjectOf(none)).toBeUndefined();
  });
});

describe("the connection line", () => {
  it("says where it stands", () => {
    expect(line({ state: "connected", resumed: true }, 0)).toEqual({ tone: "good", text: "Live" });
    const lost = { kind: "lost" } as const;
    expect(line({ state: "waiting", ms: 3_200, reason: lost }, 4).text).toBe("Reconnecting in 4 s");
    expect(line({ state: "waiting", ms: 3_200, reason: lost }, 0).text).toBe("Reconnecting…");
    expect(line({ state: "waiting", ms: 9, reason: { kind: "token", error: 0 } }, 9).text).toBe(
      "Sign-in ended",
    );
    expect(line({ state: "ended", reason: lost }, 0).tone).toBe("bad");
  });

  it("speaks of changes alone, not of seconds", () => {
    const reason = { kind: "lost" } as const;
    expect(spoken({ state: "waiting", ms: 9_000, reason })).toBe(
      spoken({ state: "waiting", ms: 1_000, reason }),
    );
    expect(spoken({ state: "connecting" })).toBe("");
  });
});
