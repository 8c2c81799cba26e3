// What people are told. Every code has words; one that is not known is shown as it is.

import type { Shown } from "./messages.js";

const REASONS: Record<string, string> = {
  clocked_out: "You clocked out.",
  moved: "You moved to another account with another browser.",
  force_cleared: "An admin cleared the account.",
  inactive: "You were clocked out: nothing was done for an hour.",
  code_revoked: "An admin revoked your access code.",
  removed: "The account or your membership is gone.",
};

const TROUBLES: Record<string, string> = {
  invalid_code: "This access code is not valid here. Ask for a new one.",
  occupied: "Somebody else is in this account.",
  unknown_channel: "There is no such account in your organization.",
  token_expired: "Please enter your access code again: you were away for long. You are still in the account.",
  token_invalid: "Please enter your access code again. You are still in the account.",
  code_needed: "Please enter your access code again: the answer to your last request was lost.",
  account_disabled: "You are disabled in the directory. Ask your admin; you are still in the account.",
  rate_limited: "Too often. Please wait a moment.",
  unavailable: "The server cannot do this now. Please try again.",
  timeout: "There was no connection for too long; you stay where you are.",
  url: "This extension has no valid server address.",
};

const SEEN: Record<string, string> = {
  name: "your name",
  since: "since when you are in",
  lastSeen: "when you were last heard of, if the connection is lost",
};

export function trouble({ code, message }: { code: string; message: string }): string {
  return TROUBLES[code] ?? `${message} (${code})`;
}

/** The notice above everything else, if there is something to say. */
export function notice({ state, reason, error, hold, retryAt, pending }: Shown): string {
  if (state === "refused" && error) return trouble(error);
  if (state === "out")
    return (reason && (REASONS[reason] ?? reason)) || (hold ? "Your clock-in is over." : "");
  if (state === "lost") return `The connection is lost; you are still clocked in. ${wanted(pending)}`.trim();
  if (state === "entering") return retryAt === undefined ? "" : "The server does not answer.";
  return wanted(pending);
}

/** What is said anew each second, and read aloud to nobody. */
export function attempt({ state, retryAt }: Shown): string {
  if (state !== "lost" && !(state === "entering" && retryAt !== undefined)) return "";
  const seconds = retryAt === undefined ? 0 : Math.ceil((retryAt - Date.now()) / 1_000);
  return seconds > 0 ? `Next attempt in ${seconds} s` : "Connecting…";
}

export function seen(word: string): string {
  return SEEN[word] ?? word;
}

/** `08:00, for 2 h 5 min`. */
export function sinceWhen(since: string): string {
  const at = new Date(since);
  const minutes = Math.max(0, Math.floor((Date.now() - at.getTime()) / 60_000));
  const long = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}, for ${long}`;
}

function wanted(pending: Shown["pending"]): string {
  if (!pending) return "";
  return pending === "move" ? "Moving…" : "Clocking out…";
}
