// What the page System reckons of single figures: values, rates and quantiles.

import { describe, expect, it } from "vitest";
import { Figures, quantile, rate, rise, type Span } from "../../src/system/figures.js";
import { histogram, system, type Values } from "../support/figures.js";

const figures = (values: Values) => new Figures(system(values).figures);

/** Two readings, so many seconds apart. */
const between = (before: Values, later: Values, seconds = 2): Span => ({
  from: { at: 7_000, figures: figures(before) },
  to: { at: 7_000 + seconds * 1_000, figures: figures(later) },
});

describe("a figure", () => {
  const of = figures({
    connections: 12,
    "errors_total{code=internal,way=rest}": 1,
    "errors_total{code=internal,way=socket}": 2,
    "errors_total{code=rate_limited,way=socket}": 40,
  });

  it("is found by its name and those labels that matter", () => {
    expect(of.sum("connections")).toBe(12);
    expect(of.sum("errors_total")).toBe(43);
    expect(of.sum("errors_total", { code: "internal" })).toBe(3);
    expect(of.sum("errors_total", { code: "internal", way: "rest" })).toBe(1);
  });

  it("that there is none of is nought", () => {
    expect(of.sum("connection")).toBe(0);
    expect(of.sum("errors_total", { code: "forbidden" })).toBe(0);
    expect(of.sum("connections", { code: "internal" })).toBe(0);
  });

  it("tells which values a label has", () => {
    expect(of.values("errors_total", "code")).toEqual(["internal", "rate_limited"]);
    expect(of.values("connections", "code")).toEqual([]);
    expect(of.values("nothing", "code")).toEqual([]);
  });
});

describe("a rate", () => {
  it("is what a counter rose by in a second", () => {
    expect(rate(between({ frames_total: 100 }, { frames_total: 150 }), "frames_total")).toBe(25);
    expect(rate(between({ frames_total: 100 }, { frames_total: 150 }, 4), "frames_total")).toBe(12.5);
    expect(rate(between({ frames_total: 100 }, { frames_total: 100 }), "frames_total")).toBe(0);
    expect(rate(undefined, "frames_total")).toBeUndefined();
  });

  it("takes in series that were not there before", () => {
    const span = between(
      { "requests_total{route=a}": 5 },
      { "requests_total{route=a}": 7, "requests_total{route=b}": 8 },
    );
    expect(rise(span, "requests_total")).toBe(10);
    expect(rise(span, "requests_total", { route: "b" })).toBe(8);
  });

  it("of a hub that was started again counts from its start", () => {
    expect(rise(between({ frames_total: 900 }, { frames_total: 30 }), "frames_total")).toBe(30);
  });
});

describe("a quantile", () => {
  const of = (given: readonly (readonly [string, number])[], q: number) =>
    quantile(between({}, histogram("request_seconds", given)), "request_seconds", q);
  const even = [
    ["0.1", 5],
    ["0.5", 5],
    ["+Inf", 0],
  ] as const;

  it.each([
    ["at the border of a bucket is that border", even, 0.5, 0.1],
    ["just past it is in the next", even, 0.6, 0.18],
    ["of all is the last border that something reached", even, 1, 0.5],
    ["in the first bucket lies between nought and its bound", even, 0.25, 0.05],
    [
      "is not in a bucket with nothing in it",
      [
        ["0.001", 0],
        ["0.01", 4],
        ["0.1", 0],
        ["+Inf", 0],
      ],
      0.5,
      0.0055,
    ],
    [
      "of next to nothing is in the first bucket that has something",
      [
        ["0.1", 0],
        ["0.5", 4],
        ["+Inf", 0],
      ],
      0,
      0.1,
    ],
  ] as const)("%s", (_, given, q, value) => {
    expect(of(given, q)?.value).toBeCloseTo(value, 10);
    expect(of(given, q)?.over).toBe(false);
  });

  it("past all bounds is more than the last one", () => {
    const given = [
      ["0.1", 1],
      ["10", 0],
      ["+Inf", 99],
    ] as const;
    expect(of(given, 0.99)).toEqual({ value: 10, over: true, of: 100 });
  });

  it("of nothing is none", () => {
    expect(
      of(
        [
          ["0.1", 0],
          ["+Inf", 0],
        ],
        0.5,
      ),
    ).toBeUndefined();
    expect(quantile(between({}, {}), "request_seconds", 0.5)).toBeUndefined();
    expect(quantile(undefined, "request_seconds", 0.5)).toBeUndefined();
  });

  it("is of what came between two readings, not of what was before", () => {
    const before = histogram("request_seconds", [
      ["0.1", 0],
      ["10", 1_000],
      ["+Inf", 7],
    ]);
    const later = histogram("request_seconds", [
      ["0.1", 20],
      ["10", 1_000],
      ["+Inf", 7],
    ]);
    const found = quantile(between(before, later), "request_seconds", 0.5);
    expect(found).toEqual({ value: 0.05, over: false, of: 20 });
  });

  it("is of one label, or of all of them", () => {
    const span = between(
      {},
      {
        ...histogram(
          "writer_batch_seconds",
          [
            ["0.1", 9],
            ["2", 0],
            ["+Inf", 0],
          ],
          "rows=activity",
        ),
        ...histogram(
          "writer_batch_seconds",
          [
            ["0.1", 0],
            ["2", 1],
            ["+Inf", 0],
          ],
          "rows=last-seen",
        ),
      },
    );
    expect(quantile(span, "writer_batch_seconds", 1, { rows: "activity" })?.value).toBe(0.1);
    expect(quantile(span, "writer_batch_seconds", 1, { rows: "last-seen" })?.value).toBe(2);
    expect(quantile(span, "writer_batch_seconds", 1)).toMatchObject({ value: 2, of: 10 });
  });
});
