// The people of weddings and organizations, live; several side by side.

import { usePresence } from "@presence-hub/sdk/react";
import { memo } from "preact/compat";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useNow } from "../clock.js";
import type { Mine } from "../contract.js";
import { lastSeen } from "../format.js";
import { useNames, useSession } from "../session.js";
import type { PageProps } from "../shell/shell.js";
import { Icon } from "../ui/icon.js";
import { Avatar, Empty, PageHead, STATUS, says, Words } from "../ui/parts.js";
import { type Entry, entries, type Person, present } from "./people.js";

interface Team {
  readonly channel: string;
  readonly name: string;
  readonly kind: "Wedding" | "Organization";
}

/** More at once are hard to follow; the rest is a click away. */
const AT_FIRST = 4;

export function TeamsPage({ mine }: PageProps) {
  const teams = useMemo(() => teamsOf(mine), [mine]);
  const [chosen, setChosen] = useState(() => new Set(teams.slice(0, AT_FIRST).map(({ channel }) => channel)));
  const shown = teams.filter(({ channel }) => chosen.has(channel));
  const toggle = (channel: string) => {
    const next = new Set(chosen);
    if (!next.delete(channel)) next.add(channel);
    setChosen(next);
  };
  return (
    <>
      <PageHead title="Teams" />
      {teams.length > 1 && (
        <fieldset class="chips">
          <legend class="sr-only">Teams side by side</legend>
          {teams.map(({ channel, name }) => (
            <button
              key={channel}
              type="button"
              class="chip"
              aria-pressed={chosen.has(channel)}
              onClick={() => toggle(channel)}
            >
              {chosen.has(channel) && <Icon name="check" />}
              <Words text={name} />
            </button>
          ))}
        </fieldset>
      )}
      {teams.length === 0 && (
        <Empty title="No teams yet">You take part in no wedding and no organization.</Empty>
      )}
      {teams.length > 0 && shown.length === 0 && (
        <Empty title="Choose whom to see">Any of the names above.</Empty>
      )}
      <div class="columns">
        {shown.map((team) => (
          <Column key={team.channel} team={team} />
        ))}
      </div>
    </>
  );
}

function teamsOf({ weddings, organizations }: Mine): readonly Team[] {
  return [
    ...weddings.map(({ weddingId, name }) => ({
      channel: `wedding:${weddingId}`,
      name,
      kind: "Wedding" as const,
    })),
    ...organizations.map(({ organizationId, name }) => ({
      channel: `organization:${organizationId}`,
      name,
      kind: "Organization" as const,
    })),
  ];
}

function Column({ team }: { readonly team: Team }) {
  const { channel } = team;
  const { people, phase, error } = usePresence(channel, { people: "roster", accounts: false });
  const { value: names } = useNames(channel);
  const session = useSession();
  const list = useMemo(() => entries(people, names?.people), [people, names]);
  const nameless =
    phase === "live" && names !== undefined && people.some(({ userId }) => !names.people.has(userId));
  useEffect(() => {
    if (nameless && names) session.nameless(channel);
  }, [nameless, names, session, channel]);
  return (
    <section class="card column" aria-label={`${team.kind} ${team.name}`}>
      <header class="column-head">
        <h2 class="words" title={team.name}>
          <bdi>{team.name}</bdi>
        </h2>
        <p class="hint">
          {phase === "loading" ? "…" : `${present(people)} of ${people.length} here`}
          {phase === "stale" && " · may be old"}
        </p>
      </header>
      {error && <p class="note note-bad">{says(error)}</p>}
      {phase === "live" && list.length === 0 && <p class="hint">There is nobody here for you to see.</p>}
      <ul class="people">
        {list.map((entry) => (
          <PersonRow
            key={entry.person.userId}
            person={entry.person}
            name={entry.name}
            part={entry.part}
            me={entry.person.userId === session.userId}
          />
        ))}
      </ul>
    </section>
  );
}

const PersonRow = memo(function PersonRow({ person, name, part, me }: Entry & { readonly me: boolean }) {
  return (
    <li class={person.status === "offline" ? "person person-offline" : "person"}>
      <Avatar name={name} status={person.status} />
      <div class="person-text">
        <p class="person-name">
          <Words text={name} />
          {me && <span class="person-you">you</span>}
          {part && <Words text={part} class="hint" />}
        </p>
        {person.status === "offline" ? <LastSeen at={person.lastSeen} /> : <Doing person={person} />}
      </div>
    </li>
  );
});

function LastSeen({ at }: { readonly at: string | null }) {
  const text = lastSeen(at, useNow());
  return <p class="person-line">{`${text[0]?.toUpperCase()}${text.slice(1)}`}</p>;
}

type Present = Exclude<Person, { status: "offline" }>;

/** What somebody says and shows of what they do. What they do not show is not there. */
export function Doing({ person }: { readonly person: Present }) {
  const { status, device, currentPage, isTyping, customStatus, customEmoji } = person;
  return (
    <>
      <p class="person-line">
        <span class={`person-status status-${status}`}>{STATUS[status]}</span>
        {isTyping && (
          <span class="typing">
            typing
            <span class="typing-dots" aria-hidden="true" />
          </span>
        )}
        {device && (
          <span class="person-device">
            <Icon name={device} />
            <span class="sr-only">on {device === "desktop" ? "a desktop" : `a ${device}`}</span>
          </span>
        )}
        {currentPage && (
          <span class="person-page">
            <Words text={currentPage} />
          </span>
        )}
      </p>
      {(customStatus || customEmoji) && (
        <p class="person-line person-words">
          {customEmoji && <Words text={customEmoji} class="person-emoji" />}
          {customStatus && <Words text={customStatus} />}
        </p>
      )}
    </>
  );
}
