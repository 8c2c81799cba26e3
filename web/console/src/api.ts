// The hub's REST calls, of the same origin, as the user who is signed in.

import type { Mine, Names, Persona, Report, SettingsChange, System, Why } from "./contract.js";

/** A call that was not done. `code` is stable (docs/errors.md), or `unreachable` where there was no answer of the hub's. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly status: number;
  /** How long to wait before asking again, where the hub said so. Milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, status: number, detail: string, retryAfterMs?: number) {
    super(detail);
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

interface Asked {
  readonly method?: "GET" | "DELETE";
  readonly query?: { readonly [name: string]: string | undefined };
  /** Names a change, so that asked again after a lost answer it is done once. */
  readonly opId?: string;
  /** Given up then: for what is asked again and again, and is worth nothing late. Milliseconds. */
  readonly timeoutMs?: number;
}

/** A hub that needs as long to say how it is does not answer. */
const SYSTEM_TIMEOUT_MS = 10_000;

export class Api {
  readonly #token: () => string;
  readonly #refused: () => void;

  /** `refused` is called when the hub does not take the token any more. */
  constructor(token: () => string, refused: () => void) {
    this.#token = token;
    this.#refused = refused;
  }

  mine(): Promise<Mine> {
    return this.#ask("/api/presence/me/channels");
  }

  names(channel: string): Promise<Names> {
    return this.#ask("/api/presence/me/names", { query: { channel } });
  }

  /** `from` and `to` are days, both included: `2026-11-21`. */
  report(organizationId: string, from: string, to: string, timeZone: string): Promise<Report> {
    return this.#ask("/api/presence/analytics", { query: { organizationId, from, to, timeZone } });
  }

  /** Ends the hold of `userId`; if somebody else is there by now it is `not_held`, and nothing is done. */
  clear(accountId: string, userId: string, reason: string, opId: string): Promise<unknown> {
    const path = `/api/presence/accounts/${encodeURIComponent(accountId)}`;
    return this.#ask(path, { method: "DELETE", query: { reason, userId }, opId });
  }

  history(): Promise<{ readonly entries: readonly SettingsChange[] }> {
    return this.#ask("/api/presence/me/audit");
  }

  export(): Promise<unknown> {
    return this.#ask("/api/presence/me/export");
  }

  erase(): Promise<{ readonly archiveDone: boolean }> {
    return this.#ask("/api/presence/me", { method: "DELETE" });
  }

  why(subject: string, viewer: string): Promise<Why> {
    return this.#ask("/api/presence/why", { query: { subject, viewer } });
  }

  /** How the hub itself is; for operators. */
  system(): Promise<System> {
    return this.#ask("/api/system", { timeoutMs: SYSTEM_TIMEOUT_MS });
  }

  async #ask<T>(path: string, { method = "GET", query = {}, opId, timeoutMs }: Asked = {}): Promise<T> {
    const said = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
    const search = said.length > 0 ? `?${new URLSearchParams(said)}` : "";
    const headers = {
      authorization: `Bearer ${this.#token()}`,
      ...(opId && { "idempotency-key": opId }),
    };
    const signal = timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs);
    const answer = await fetch(path + search, { method, headers, cache: "no-store", signal }).catch(() => {
      throw new ApiError("unreachable", 0, "the hub cannot be reached");
    });
    if (answer.ok) return (await answer.json()) as T;
    const error = await problem(answer);
    if (answer.status === 401) this.#refused();
    throw error;
  }
}

async function problem(answer: Response): Promise<ApiError> {
  const said = (await answer.json().catch(() => ({}))) as {
    code?: unknown;
    detail?: unknown;
    retryAfterMs?: unknown;
  };
  const code = typeof said.code === "string" ? said.code : answer.status >= 500 ? "unreachable" : "internal";
  const detail = typeof said.detail === "string" ? said.detail : `the hub answered ${answer.status}`;
  return new ApiError(
    code,
    answer.status,
    detail,
    typeof said.retryAfterMs === "number" ? said.retryAfterMs : undefined,
  );
}

/** Who can be tried out, in a demo; nobody elsewhere. */
export async function personas(): Promise<readonly Persona[]> {
  const answer = await fetch("/demo/personas", { cache: "no-store" }).catch(() => undefined);
  if (!answer?.ok) return [];
  const said: unknown = await answer.json().catch(() => []);
  return Array.isArray(said) ? (said as Persona[]) : [];
}
