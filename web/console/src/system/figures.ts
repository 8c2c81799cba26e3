// The figures of one answer of the hub, found by name and labels; how fast they rise from one answer to another, and
// quantiles of what was measured between the two. No I/O.

import type { Figure } from "../contract.js";

export interface Labels {
  readonly [label: string]: string;
}

/** All names begin with it; here they are said without. */
const PREFIX = /^presence_hub_/;

export class Figures {
  readonly #series: ReadonlyMap<string, readonly Figure[]>;

  constructor(figures: readonly Figure[]) {
    const series = new Map<string, Figure[]>();
    for (const figure of figures) {
      const name = figure.name.replace(PREFIX, "");
      const known = series.get(name);
      if (known) known.push(figure);
      else series.set(name, [figure]);
    }
    this.#series = series;
  }

  /** All series of a name together that have these labels and whatever others; 0 where there is none. */
  sum(name: string, labels: Labels = {}): number {
    return this.#of(name)
      .filter((figure) => has(figure, labels))
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** The values that a label has in the series of a name, sorted. */
  values(name: string, label: string): readonly string[] {
    return [...new Set(this.#of(name).flatMap(({ labels }) => labels?.[label] ?? []))].sort();
  }

  /** Whether a counter stands lower here than there: then the hub was started again in between. */
  fellFrom(before: Figures): boolean {
    const counters = [...this.#series.keys()].filter((name) => name.endsWith("_total"));
    return counters.some((name) =>
      this.#of(name).some(({ labels, value }) => value < before.sum(name, labels)),
    );
  }

  #of(name: string): readonly Figure[] {
    return this.#series.get(name) ?? [];
  }
}

function has({ labels = {} }: Figure, wanted: Labels): boolean {
  return Object.entries(wanted).every(([label, value]) => labels[label] === value);
}

/** What the hub said, and when. */
export interface Reading {
  /** By the page's own clock, which never goes back. Milliseconds. */
  readonly at: number;
  readonly figures: Figures;
}

/** Two readings of one run of the hub, the second one later. */
export interface Span {
  readonly from: Reading;
  readonly to: Reading;
}

/** From one reading of a counter to the next one. It begins at nought when the hub is started again. */
export function risen(before: number, after: number): number {
  return after >= before ? after - before : after;
}

/** By how much a counter rose. */
export function rise({ from, to }: Span, name: string, labels: Labels = {}): number {
  return risen(from.figures.sum(name, labels), to.figures.sum(name, labels));
}

/** The same per second; `undefined` without two readings. */
export function rate(span: Span | undefined, name: string, labels: Labels = {}): number | undefined {
  return span && rise(span, name, labels) / ((span.to.at - span.from.at) / 1_000);
}

export interface Quantile {
  readonly value: number;
  /** It is more than that, and nobody knows how much: past the last bound. */
  readonly over: boolean;
  /** Of how many. */
  readonly of: number;
}

/**
 * What the share `q` of all that a histogram was given between two readings did not go past; `undefined` where it was
 * given nothing. Inside of a bucket values are taken to lie evenly, as Prometheus does.
 */
export function quantile(
  span: Span | undefined,
  name: string,
  q: number,
  labels: Labels = {},
): Quantile | undefined {
  const buckets = span ? bucketsOf(span, `${name}_bucket`, labels) : [];
  const of = buckets.at(-1)?.upTo ?? 0;
  if (of === 0) return undefined;
  let [below, bound] = [0, 0];
  for (const { le, upTo } of buckets) {
    const inside = upTo - below;
    if (inside > 0 && upTo >= q * of) {
      if (le === Number.POSITIVE_INFINITY) return { value: bound, over: true, of };
      return { value: bound + (le - bound) * ((q * of - below) / inside), over: false, of };
    }
    [below, bound] = [upTo, le];
  }
  return { value: bound, over: false, of };
}

/** Up to each bound, how many there were between two readings. */
function bucketsOf(span: Span, name: string, labels: Labels): readonly { le: number; upTo: number }[] {
  return span.to.figures
    .values(name, "le")
    .map((le) => ({
      le: le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le),
      upTo: rise(span, name, { ...labels, le }),
    }))
    .sort((a, b) => a.le - b.le);
}
