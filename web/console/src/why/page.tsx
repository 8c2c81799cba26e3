// Why does somebody see somebody else, or not: as far as the asker may know.

import { useEffect, useMemo, useState } from "preact/hooks";
import { type Mine, mayAdminister, type Why } from "../contract.js";
import { useLoaded } from "../loaded.js";
import { useSession } from "../session.js";
import type { PageProps } from "../shell/shell.js";
import { Icon } from "../ui/icon.js";
import { Card, Empty, Failed, Loading, PageHead } from "../ui/parts.js";
import { type Named, type Step, steps, verdict } from "./rules.js";

interface Choice {
  readonly userId: string;
  readonly name: string;
}

export function WhyPage({ mine }: PageProps) {
  const known = useKnown(mine);
  const me = mine.user.userId;
  const [subject, setSubject] = useState(me);
  const [viewer, setViewer] = useState("");
  const others = known.all.filter(({ userId }) => userId !== subject);
  const subjects = [...known.all.filter(({ userId }) => userId === me), ...known.administered];
  return (
    <>
      <PageHead title="Why?">
        <p class="page-sub">Why does somebody see somebody else, or not?</p>
      </PageHead>
      <div class="why">
        <Card title="Whom is it about?">
          <div class="why-form">
            <Picker
              label="Who looks"
              value={viewer}
              empty="Choose somebody"
              people={others}
              you={me}
              onChange={setViewer}
            />
            <Picker
              label="Who is looked at"
              value={subject}
              people={subjects}
              you={me}
              onChange={setSubject}
            />
          </div>
          <p class="hint">
            {subjects.length > 1
              ? "About yourself you are told all of it; about others in your organization what they share, not what they chose."
              : "About yourself you are told all of it."}
          </p>
        </Card>
        {viewer && viewer !== subject ? (
          <Answer subject={subject} viewer={viewer} known={known} mine={mine} />
        ) : (
          <Empty title="Choose who looks">The rules are shown here, one by one.</Empty>
        )}
      </div>
    </>
  );
}

interface PickerProps {
  readonly label: string;
  readonly value: string;
  readonly empty?: string;
  readonly people: readonly Choice[];
  readonly you: string;
  readonly onChange: (userId: string) => void;
}

function Picker({ label, value, empty, people, you, onChange }: PickerProps) {
  return (
    <label class="why-field">
      {label}
      <select class="input" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {empty && <option value="">{empty}</option>}
        {people.map(({ userId, name }) => (
          <option key={userId} value={userId}>
            {userId === you ? `${name} (you)` : name}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Known {
  /** All of the user's channels, by name. */
  readonly all: readonly Choice[];
  /** The others in organizations that the user administers. */
  readonly administered: readonly Choice[];
  readonly name: (userId: string) => string;
}

/** The people that the user can name. */
function useKnown(mine: Mine): Known {
  const session = useSession();
  const [loaded, setLoaded] = useState(0);
  const loaders = useMemo(
    () => [
      ...mine.organizations.map(({ organizationId, role }) => ({
        loader: session.names(`organization:${organizationId}`),
        administered: mayAdminister(role),
      })),
      ...mine.weddings.map(({ weddingId }) => ({
        loader: session.names(`wedding:${weddingId}`),
        administered: false,
      })),
    ],
    [mine, session],
  );
  useEffect(() => {
    const stops = loaders.map(({ loader }) => loader.subscribe(() => setLoaded((n) => n + 1)));
    // What came between drawing and listening.
    setLoaded((n) => n + 1);
    return () => {
      for (const stop of stops) stop();
    };
  }, [loaders]);
  // `loaded`: what the loaders have is another with each that comes.
  return useMemo(() => {
    const names = new Map([[mine.user.userId, mine.user.displayName]]);
    const administered = new Set<string>();
    for (const { loader, administered: mayAsk } of loaders)
      for (const [userId, { displayName }] of loader.get().value?.people ?? []) {
        names.set(userId, displayName);
        if (mayAsk && userId !== mine.user.userId) administered.add(userId);
      }
    const all = [...names]
      .map(([userId, name]) => ({ userId, name }))
      .sort((a, b) => a.name.localeCompare(b.name));
    return {
      all,
      administered: all.filter(({ userId }) => administered.has(userId)),
      name: (userId) => names.get(userId) ?? "somebody",
    };
  }, [loaders, mine, loaded]);
}

interface AnswerProps {
  readonly subject: string;
  readonly viewer: string;
  readonly known: Known;
  readonly mine: Mine;
}

function Answer({ subject, viewer, known, mine }: AnswerProps) {
  const { api } = useSession();
  const { value, error } = useLoaded(() => api.why(subject, viewer), [api, subject, viewer]);
  if (error) return <Failed error={error} />;
  if (!value) return <Loading what="the rules" />;
  return <Decision why={value} of={naming(known, mine, value)} />;
}

function naming(known: Known, mine: Mine, { subject, viewer }: Why): Named {
  const channels = new Map<string, string>([
    ...mine.organizations.map(
      ({ organizationId, name }) => [`organization:${organizationId}`, name] as const,
    ),
    ...mine.weddings.map(({ weddingId, name }) => [`wedding:${weddingId}`, name] as const),
  ]);
  return {
    subject: known.name(subject),
    viewer: known.name(viewer),
    subjectIsYou: subject === mine.user.userId,
    viewerIsYou: viewer === mine.user.userId,
    channel: (channel) =>
      channels.get(channel) ?? (channel.startsWith("wedding:") ? "a wedding" : "an organization"),
  };
}

const ICONS = { yes: "check", no: "cross", theirs: "lock", fact: "page" } as const;
const SAID = { yes: "Yes", no: "No", theirs: "Not told", fact: "Chosen" } as const;

function Decision({ why, of }: { readonly why: Why; readonly of: Named }) {
  const result = verdict(why, of);
  return (
    <section class="card decision" aria-label="The decision" aria-live="polite">
      <p class={`verdict verdict-${result.kind}`}>
        <Icon name={ICONS[result.kind]} />
        <bdi>{result.says}</bdi>
      </p>
      <ol class="steps">
        {steps(why, of).map((step: Step) => (
          <li key={step.says} class={`step step-${step.kind}`}>
            <span class="step-icon">
              <Icon name={ICONS[step.kind]} />
              <span class="sr-only">{SAID[step.kind]}: </span>
            </span>
            <div class="step-text">
              <p>
                <bdi>{step.says}</bdi>
              </p>
              {step.more && <p class="hint">{step.more}</p>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
