// Small parts that several pages use.

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { ApiError } from "../api.js";
import { initials } from "../format.js";

export type Status = "online" | "idle" | "away" | "busy" | "offline";

export const STATUS: { readonly [S in Status]: string } = {
  online: "Online",
  idle: "Idle",
  away: "Away",
  busy: "Busy",
  offline: "Offline",
};

/** The shape tells the status as well as the color. */
export function StatusDot({ status }: { readonly status: Status }) {
  return (
    <svg class={`dot dot-${status}`} viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      <circle class="dot-fill" cx="6" cy="6" r="5" />
      {status === "busy" && <path class="dot-mark" d="M3.5 6h5" />}
      {status === "away" && <path class="dot-mark" d="M6 3.300V6l1.800 1.300" />}
    </svg>
  );
}

export function Avatar({ name, status }: { readonly name: string; readonly status?: Status }) {
  return (
    <span class="avatar" aria-hidden="true">
      <span class="avatar-letters">{initials(name)}</span>
      {status && <StatusDot status={status} />}
    </span>
  );
}

/** Somebody's own words: text, isolated from its neighbours whatever its direction. */
export function Words({ text, class: name = "" }: { readonly text: string; readonly class?: string }) {
  return (
    <bdi class={`words ${name}`} title={text}>
      {text}
    </bdi>
  );
}

interface Choice<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}

/** One of few, all in sight. */
export function Segmented<T extends string>({ label, value, options, onChange }: Choice<T>) {
  const name = useId();
  return (
    <fieldset class="segmented">
      <legend class="sr-only">{label}</legend>
      {options.map((option) => (
        <label key={option.value} class="segment">
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly hint: string;
  readonly on: boolean;
  readonly disabled?: boolean;
  readonly onChange: (on: boolean) => void;
}

export function Switch({ label, hint, on, disabled = false, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div class="switch-row">
      <div>
        <label for={id} class="switch-label">
          {label}
        </label>
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      </div>
      <input
        id={id}
        class="switch"
        type="checkbox"
        role="switch"
        aria-checked={on}
        aria-describedby={`${id}-hint`}
        checked={on}
        disabled={disabled}
        onChange={(event) => {
          // It shows what the hub has, not what was asked for.
          event.currentTarget.checked = on;
          onChange(!on);
        }}
      />
    </div>
  );
}

export function PageHead({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      <h1>{title}</h1>
      {children}
    </header>
  );
}

export function Card(props: {
  readonly title: string;
  readonly note?: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class={`card ${props.class ?? ""}`} aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{props.title}</h2>
        {props.note && <p class="hint">{props.note}</p>}
      </div>
      {props.children}
    </section>
  );
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="loading" role="status">
      Loading {what}…
    </p>
  );
}

const SAYS: { readonly [code: string]: string } = {
  unreachable: "The hub cannot be reached. It is tried again by itself.",
  unavailable: "The hub cannot reach its database just now. It is tried again by itself.",
  rate_limited: "That was too often. Try again in a moment.",
  unauthorized: "Your sign-in has ended.",
  forbidden: "Only owners and admins of the organization may do this.",
  unknown_channel: "There is nothing by that name for you.",
  unknown_user: "There is nobody by that name for you to ask about.",
  not_held: "The account was free or somebody else's already. Nothing was changed.",
  invalid_value: "The hub does not take this value.",
  lost: "The connection broke before the hub answered. Try again.",
};

/** What went wrong, in words; `error` is of the REST calls or of the socket. */
export function says(error: Pick<ApiError, "code" | "message">): string {
  return SAYS[error.code] ?? `That did not work: ${error.message}.`;
}

export function Failed({ error }: { readonly error: Pick<ApiError, "code" | "message"> }) {
  return (
    <p class="note note-bad" role="alert">
      {says(error)}
    </p>
  );
}
