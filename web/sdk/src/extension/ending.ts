// What the end of a connection means to an extension (PROTOCOL.md, "The states of an extension"). Pure.

import { PresenceError } from "../errors.js";
import type { Reason } from "../link.js";
import type { Comeback } from "../retry.js";

export type Ending =
  /** The assistant is where they were; so back, with the token. */
  | { readonly kind: "lost"; readonly comeback: Comeback }
  /** The hold is over. */
  | { readonly kind: "over" }
  /** Not without a person's act. */
  | { readonly kind: "refused"; readonly error: PresenceError };

const CLOCKED_OUT = 4303;
/** The close codes after which a person is asked, by the names that tell them what for. */
const NAMES: Record<number, string> = {
  4200: "token_expired",
  4201: "token_invalid",
  4202: "subject_changed",
  4300: "bad_hello",
  4301: "account_disabled",
  4302: "too_many_errors",
};
/** The refusals that pass by themselves; with them goes every code that is not known. */
const FINAL = new Set([
  "forbidden",
  "invalid_code",
  "invalid_value",
  "malformed",
  "occupied",
  "operation_conflict",
  "too_large",
  "unauthorized",
  "unknown_channel",
]);

export function ending(reason: Reason, comeback: Comeback): Ending {
  if (reason.kind === "refused") return afterRefusal(reason.error, comeback);
  if (reason.kind === "closed" && reason.code === CLOCKED_OUT) return { kind: "over" };
  if (final(comeback)) return { kind: "refused", error: nameless(reason) };
  return { kind: "lost", comeback };
}

/** As the close says; where that was lost, as the error does. */
function afterRefusal(error: PresenceError, comeback: Comeback): Ending {
  if (error.code === "not_held") return { kind: "over" };
  if (final(comeback)) return { kind: "refused", error };
  if (comeback.when === "after" || comeback.when === "within") return { kind: "lost", comeback };
  if (error.retryAfterMs !== undefined)
    return { kind: "lost", comeback: { when: "after", ms: error.retryAfterMs } };
  if (FINAL.has(error.code)) return { kind: "refused", error };
  return { kind: "lost", comeback: { when: "backoff" } };
}

/** There is no other token than the one that was refused. */
function final({ when }: Comeback): boolean {
  return when === "never" || when === "new_token";
}

function nameless(reason: Reason): PresenceError {
  if (reason.kind !== "closed") return new PresenceError(reason.kind, "there is no hub by this address");
  const code = NAMES[reason.code] ?? reason.name ?? "closed";
  return new PresenceError(code, reason.message ?? `the hub closed the connection: ${code}`);
}
