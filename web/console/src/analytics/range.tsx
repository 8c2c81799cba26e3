// Which days a report is about.

import { useId, useState } from "preact/hooks";
import { Segmented } from "../ui/parts.js";
import { lastDays, type Range, wrong } from "./figures.js";

type Choice = "7" | "30" | "90" | "custom";

const CHOICES: readonly { value: Choice; label: string }[] = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "custom", label: "Custom" },
];

interface Props {
  readonly range: Range;
  readonly onChange: (range: Range) => void;
}

export function RangePicker({ range, onChange }: Props) {
  const [choice, setChoice] = useState<Choice>("30");
  const [wanted, setWanted] = useState(range);
  const id = useId();
  const choose = (value: Choice) => {
    setChoice(value);
    if (value === "custom") setWanted(range);
    else onChange(lastDays(Number(value)));
  };
  const change = (patch: Partial<Range>) => {
    const next = { ...wanted, ...patch };
    setWanted(next);
    if (!wrong(next)) onChange(next);
  };
  const problem = choice === "custom" ? wrong(wanted) : undefined;
  return (
    <div class="range">
      <Segmented label="Days" value={choice} options={CHOICES} onChange={choose} />
      {choice === "custom" && (
        <div class="range-days">
          <label for={`${id}-from`}>From</label>
          <input
            id={`${id}-from`}
            class="input"
            type="date"
            value={wanted.from}
            onChange={(event) => change({ from: event.currentTarget.value })}
          />
          <label for={`${id}-to`}>to</label>
          <input
            id={`${id}-to`}
            class="input"
            type="date"
            value={wanted.to}
            onChange={(event) => change({ to: event.currentTarget.value })}
          />
        </div>
      )}
      {problem && (
        <p class="note note-bad" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
