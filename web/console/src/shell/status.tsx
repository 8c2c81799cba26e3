// One's own status: shown as chosen at once, and taken back where the hub does not take it.

import type { ChosenStatus } from "@presence-hub/sdk";
import { useMyPresence, useSettings } from "@presence-hub/sdk/react";
import { useState } from "preact/hooks";
import { Icon } from "../ui/icon.js";
import { STATUS, StatusDot, says } from "../ui/parts.js";
import { Popover } from "../ui/popover.js";

const CHOICES: readonly { status: ChosenStatus; says: string }[] = [
  { status: "online", says: "Here" },
  { status: "away", says: "Not at the desk" },
  { status: "busy", says: "Please do not disturb" },
];

export function StatusMenu() {
  const [me, update] = useMyPresence();
  const [settings] = useSettings();
  const status = me.track?.status ?? "online";
  const hidden = settings?.appearOffline === true || settings?.visibility === "nobody";
  const words = [me.track?.customEmoji, me.track?.customStatus].filter(Boolean).join(" ");
  const button = (
    <>
      <StatusDot status={status} />
      <span class="status-word">{STATUS[status]}</span>
      <Icon name="down" />
    </>
  );
  return (
    <Popover label={`Your status: ${STATUS[status]}${words && `, ${words}`}`} button={button}>
      {(close) => (
        <div class="status-menu">
          {CHOICES.map((choice) => (
            <button
              key={choice.status}
              type="button"
              class="menu-item"
              aria-pressed={status === choice.status || (status === "idle" && choice.status === "online")}
              onClick={() => {
                void update({ status: choice.status });
                close();
              }}
            >
              <StatusDot status={choice.status} />
              <span>
                {STATUS[choice.status]}
                <small>{choice.says}</small>
              </span>
            </button>
          ))}
          <OwnWords text={me.track?.customStatus ?? ""} emoji={me.track?.customEmoji ?? ""} done={close} />
          {me.error && (
            <p class="note note-bad" role="alert">
              {says(me.error)}
            </p>
          )}
          {hidden && <p class="hint">You are hidden: nobody but you sees this.</p>}
        </div>
      )}
    </Popover>
  );
}

function OwnWords({ text, emoji, done }: { text: string; emoji: string; done: () => void }) {
  const [, update] = useMyPresence();
  const [words, setWords] = useState(text);
  const [picture, setPicture] = useState(emoji);
  const save = () => {
    void update({ customStatus: words.trim() || null, customEmoji: picture.trim() || null });
    done();
  };
  const clear = () => {
    void update({ customStatus: null, customEmoji: null });
    done();
  };
  return (
    <form
      class="own-words"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <div class="own-words-fields">
        <input
          class="input emoji-input"
          aria-label="Emoji"
          placeholder="🙂"
          maxLength={10}
          value={picture}
          onInput={(event) => setPicture(event.currentTarget.value)}
        />
        <input
          class="input"
          aria-label="Status in your own words"
          placeholder="What are you up to?"
          maxLength={100}
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
      </div>
      <div class="actions">
        {(text || emoji) && (
          <button type="button" class="button quiet" onClick={clear}>
            Clear
          </button>
        )}
        <button type="submit" class="button">
          Save
        </button>
      </div>
    </form>
  );
}
