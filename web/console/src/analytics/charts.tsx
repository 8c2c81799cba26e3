// Charts of our own: drawn in SVG, told as a table to who does not see them.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { number } from "../format.js";
import { type Bar, peak, scale } from "./figures.js";

interface Props {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** What a bar stands for, in full and under the axis; nothing under some of them. */
  readonly name: (key: number) => string;
  readonly tick: (key: number) => string | undefined;
}

const HEIGHT = 176;
const PLOT = 140;
const TOP = 8;
const LEFT = 40;

export function Bars({ title, bars, name, tick }: Props) {
  const id = useId();
  const highest = scale(Math.max(0, ...bars.map(({ value }) => value)));
  const best = peak(bars);
  const [box, width] = useWidth();
  const each = (width - LEFT) / bars.length;
  const thick = Math.min(28, each * 0.64);
  const y = (value: number) => TOP + PLOT * (1 - value / highest);
  return (
    <figure class="chart" aria-labelledby={id} ref={box}>
      <figcaption class="sr-only" id={id}>
        {title}
      </figcaption>
      <svg class="chart-plot" viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden="true" focusable="false">
        {[0, highest / 2, highest].map((value) => (
          <g key={value}>
            <line class="chart-line" x1={LEFT} x2={width} y1={y(value)} y2={y(value)} />
            <text class="chart-text chart-scale" x={LEFT - 8} y={y(value) + 4}>
              {number(value)}
            </text>
          </g>
        ))}
        {bars.map(({ key, value }, at) => {
          const middle = LEFT + each * (at + 0.5);
          return (
            <g key={key} class="chart-item">
              <title>{`${name(key)}: ${value === 0 ? "fewer than 3" : number(value)} people`}</title>
              <rect class="chart-hit" x={middle - each / 2} y={TOP} width={each} height={PLOT} />
              {value > 0 && (
                <rect
                  class={key === best?.key ? "chart-bar chart-best" : "chart-bar"}
                  x={middle - thick / 2}
                  y={y(value)}
                  width={thick}
                  height={TOP + PLOT - y(value)}
                  rx={3}
                />
              )}
              {tick(key) && (
                <text class="chart-text" x={middle} y={HEIGHT - 6}>
                  {tick(key)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <AsTable title={title} bars={bars} name={name} />
    </figure>
  );
}

function AsTable({ title, bars, name }: Pick<Props, "title" | "bars" | "name">) {
  return (
    <table class="sr-only">
      <caption>{title}</caption>
      <tbody>
        {bars.map(({ key, value }) => (
          <tr key={key}>
            <th scope="row">{name(key)}</th>
            <td>{value === 0 ? "fewer than 3 people" : `${number(value)} people`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Drawn in the size in which it is shown, so that its texts have the size of all texts. */
function useWidth(): [{ current: HTMLElement | null }, number] {
  const box = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(480);
  useEffect(() => {
    if (!box.current) return undefined;
    const resized = new ResizeObserver(([entry]) => {
      const now = Math.floor(entry?.contentRect.width ?? 0);
      if (now > 0) setWidth(now);
    });
    resized.observe(box.current);
    return () => resized.disconnect();
  }, []);
  return [box, width];
}

/** How much of the accent a field has: steeper than the figures, so that days that are alike can be told apart. */
const heat = (share: number) => Math.round(10 + 90 * share ** 1.8);

/** A strip of fields: the more, the darker. */
export function Strip({ title, bars, name, tick }: Props) {
  const id = useId();
  const highest = Math.max(0, ...bars.map(({ value }) => value));
  return (
    <figure class="strip" aria-labelledby={id}>
      <figcaption class="sr-only" id={id}>
        {title}
      </figcaption>
      <div class="strip-fields" aria-hidden="true">
        {bars.map(({ key, value }) => (
          <div key={key} class="strip-field" title={`${name(key)}: ${value || "fewer than 3"} people`}>
            <span
              class={value > 0 ? "strip-heat" : "strip-heat strip-none"}
              style={value > 0 ? { "--heat": `${heat(value / highest)}%` } : {}}
            />
            <b>{value > 0 ? number(value) : "–"}</b>
            <span>{tick(key)}</span>
          </div>
        ))}
      </div>
      <AsTable title={title} bars={bars} name={name} />
    </figure>
  );
}

/** How much of the most this is, behind a number in a list. Where the most is 0 it is no number, and the meter empty. */
export function Meter({ share }: { readonly share: number }) {
  return (
    <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="meter-all" width="100" height="6" />
      <rect class="meter-part" width={Math.max(0, Math.min(100, (share || 0) * 100))} height="6" />
    </svg>
  );
}
