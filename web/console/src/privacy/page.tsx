// One's own privacy: what is chosen, what others see by it, what was chosen before, and what is kept.

import { PresenceError, type SettingsPatch } from "@presence-hub/sdk";
import { useMyPresence, useSettings } from "@presence-hub/sdk/react";
import { useEffect, useId, useState } from "preact/hooks";
import type { Settings, Visibility } from "../contract.js";
import { dateTime } from "../format.js";
import { useLoaded } from "../loaded.js";
import { useMine, useSession } from "../session.js";
import { Doing } from "../teams/page.js";
import { Icon } from "../ui/icon.js";
import { Avatar, Card, Failed, Loading, PageHead, Switch, says, Words } from "../ui/parts.js";
import { EraseCard, Erased, ExportCard } from "./data.js";
import { changes, type Relation, shownTo, VISIBILITY } from "./preview.js";

export function PrivacyPage() {
  const [settings, setSettings] = useSettings();
  const [erased, setErased] = useState<{ archiveDone: boolean }>();
  const [asked, setAsked] = useState<"saving" | "saved" | "waiting" | PresenceError>();
  const change = async (patch: SettingsPatch) => {
    setAsked("saving");
    try {
      const { durable } = await setSettings(patch);
      setAsked(durable ? "saved" : "waiting");
    } catch (error) {
      setAsked(error instanceof PresenceError ? error : new PresenceError("internal", String(error)));
    }
  };
  if (erased) return <Erased archiveDone={erased.archiveDone} />;
  return (
    <>
      <PageHead title="My privacy">
        <p class="page-sub">You choose who sees you. No administrator can override it.</p>
      </PageHead>
      {!settings && <Loading what="your settings" />}
      {settings && (
        <div class="privacy">
          <div class="stack">
            <WhoSeesYou settings={settings} change={change} />
            <WhatTheySee settings={settings} change={change} />
          </div>
          <div class="stack">
            <Preview settings={settings} />
            <p class="save-line" role="status">
              {asked === "saving" && "Saving…"}
              {asked === "saved" && "Saved. It is in force."}
              {asked === "waiting" && "In force. It is written down as soon as the database is back."}
            </p>
            {asked instanceof PresenceError && (
              <p class="note note-bad" role="alert">
                {says(asked)} Your settings are as shown.
              </p>
            )}
            <History settings={settings} />
          </div>
        </div>
      )}
      {/* Also where there are no settings: the sessions end before the erasure is answered. */}
      <div class="privacy privacy-data">
        <ExportCard />
        <EraseCard onErased={setErased} />
      </div>
    </>
  );
}

interface Props {
  readonly settings: Settings;
  readonly change: (patch: SettingsPatch) => void;
}

function WhoSeesYou({ settings, change }: Props) {
  const name = useId();
  return (
    <Card title="Who sees you">
      <fieldset class="choices">
        <legend class="sr-only">Who sees you</legend>
        {(Object.keys(VISIBILITY) as Visibility[]).map((visibility) => (
          <label key={visibility} class="choice">
            <input
              type="radio"
              name={name}
              checked={settings.visibility === visibility}
              onChange={(event) => {
                // It shows what the hub has.
                event.currentTarget.checked = settings.visibility === visibility;
                change({ visibility });
              }}
            />
            <span>
              {VISIBILITY[visibility].name}
              <small>{VISIBILITY[visibility].says}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <Switch
        label="Appear offline"
        hint="To everybody else you sign out, at once. You can go on working; only you see it."
        on={settings.appearOffline}
        onChange={(appearOffline) => change({ appearOffline })}
      />
    </Card>
  );
}

function WhatTheySee({ settings, change }: Props) {
  return (
    <Card title="What they see">
      <Switch
        label="Show activity"
        hint="That you type, your device, and that you are idle. It also lets you be counted in your organization's reports."
        on={settings.showActivity}
        onChange={(showActivity) => change({ showActivity })}
      />
      <Switch
        label="Show current page"
        hint="The page you are on; never what is behind “?” or “#”."
        on={settings.showCurrentPage}
        onChange={(showCurrentPage) => change({ showCurrentPage })}
      />
      <OwnWords
        key={`${settings.customStatus} ${settings.customEmoji}`}
        settings={settings}
        change={change}
      />
    </Card>
  );
}

function OwnWords({ settings, change }: Props) {
  const id = useId();
  const [text, setText] = useState(settings.customStatus ?? "");
  const [emoji, setEmoji] = useState(settings.customEmoji ?? "");
  const same = text === (settings.customStatus ?? "") && emoji === (settings.customEmoji ?? "");
  return (
    <form
      class="words-form"
      onSubmit={(event) => {
        event.preventDefault();
        change({ customStatus: text.trim() || null, customEmoji: emoji.trim() || null });
      }}
    >
      <label for={id}>Your own words</label>
      <div class="own-words-fields">
        <input
          class="input emoji-input"
          aria-label="Emoji"
          placeholder="🙂"
          maxLength={10}
          value={emoji}
          onInput={(event) => setEmoji(event.currentTarget.value)}
        />
        <input
          id={id}
          class="input"
          maxLength={100}
          placeholder="On site until seven"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button" disabled={same}>
          Save
        </button>
      </div>
      <p class="hint">They are shown on all your devices to all who may see you, until you take them back.</p>
    </form>
  );
}

const VIEWERS: readonly { relation: Relation; name: string; says: string }[] = [
  { relation: "colleague", name: "A colleague", says: "shares an organization with you" },
  { relation: "collaborator", name: "A collaborator", says: "shares a wedding with you" },
  { relation: "stranger", name: "A stranger", says: "shares neither" },
];

/** With what this session announces now. */
function Preview({ settings }: { readonly settings: Settings }) {
  const [me] = useMyPresence();
  const { value: mine } = useMine();
  const track = me.track ?? { status: "online" as const };
  return (
    <Card title="What others see now" note="Of you, at this moment, by the settings in force">
      <ul class="previews" aria-live="polite">
        {VIEWERS.map(({ relation, name, says: of }) => {
          const person = shownTo(relation, settings, track);
          return (
            <li key={relation} class="preview">
              <p class="preview-viewer">
                <b>{name}</b> <span class="hint">{of}</span>
              </p>
              {person ? (
                <div class="person">
                  <Avatar name={mine?.user.displayName ?? ""} status={person.status} />
                  <div class="person-text">
                    <p class="person-name">
                      <Words text={mine?.user.displayName ?? "You"} />
                    </p>
                    {person.status === "offline" ? (
                      <p class="person-line">Offline, last seen when you switched it on</p>
                    ) : (
                      <Doing person={person} />
                    )}
                  </div>
                </div>
              ) : (
                <p class="preview-nothing">
                  <Icon name="lock" /> Nothing: you are not there
                </p>
              )}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

/** More are in the export. */
const SHOWN = 8;

function History({ settings }: { readonly settings: Settings }) {
  const { api } = useSession();
  const { value, error, again } = useLoaded(() => api.history(), [api]);
  const [all, setAll] = useState(false);
  // Each change of the settings is one more entry.
  useEffect(again, [settings]);
  const entries = value?.entries ?? [];
  return (
    <Card title="Your history" note="Only you can read it">
      {error && <Failed error={error} />}
      {value && entries.length === 0 && <p class="hint">You have changed nothing yet.</p>}
      <ol class="history">
        {entries.slice(0, all ? undefined : SHOWN).map((entry) => (
          <li key={entry.at}>
            <time class="hint" dateTime={entry.at}>
              {dateTime(entry.at)}
            </time>
            {changes(entry).map((text) => (
              <p key={text} class="history-change">
                <bdi>{text}</bdi>
              </p>
            ))}
          </li>
        ))}
      </ol>
      {!all && entries.length > SHOWN && (
        <button type="button" class="button" onClick={() => setAll(true)}>
          Show all {entries.length}
        </button>
      )}
    </Card>
  );
}
