// A small line of the last minutes, for those who see it; the figures beside it are for everybody.

import { scale } from "../analytics/figures.js";
import { type Dot, KEPT_MS } from "./course.js";

const [WIDTH, HEIGHT, TOP] = [180, 40, 3];

interface Props {
  readonly lines: readonly (readonly Dot[])[];
}

export function Spark({ lines }: Props) {
  const highest = scale(Math.max(0, ...lines.flat().map(({ value }) => value)));
  const x = ({ ago }: Dot) => (WIDTH * (1 - ago / KEPT_MS)).toFixed(2);
  const y = ({ value }: Dot) => (HEIGHT - (HEIGHT - TOP) * (value / highest)).toFixed(2);
  const through = (line: readonly Dot[]) => line.map((dot) => `${x(dot)} ${y(dot)}`).join("L");
  const under = (line: readonly Dot[]) =>
    line[0] ? `M${x(line[0])} ${HEIGHT}L${through(line)}V${HEIGHT}Z` : "";
  const last = lines.at(-1)?.at(-1);
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path class="spark-area" d={lines.map(under).join("")} />
      <path class="spark-line" d={lines.map((line) => `M${through(line)}`).join("")} />
      {/* A line of no length is a round end, however wide it is drawn. */}
      {last && <path class="spark-now" d={`M${x(last)} ${y(last)}h0.01`} />}
    </svg>
  );
}
