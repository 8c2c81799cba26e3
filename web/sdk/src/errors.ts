// What can fail, in one type.

/**
 * A request that was not done. `code` is the hub's (docs/errors.md), or one of this client's own:
 * `lost` (the connection broke, and the request is not one to repeat), `ended` (the connection ended for good),
 * `closed` (closed here), `too_many_requests` (more than 256 wait for their answer).
 */
export class PresenceError extends Error {
  override readonly name = "PresenceError";
  readonly code: string;
  /** How long to wait before asking again, where the hub said so. Milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Nobody has to look at a promise: one that fails and is not awaited is no uncaught rejection. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
