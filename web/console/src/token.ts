// The platform's token: where it is kept, and what it says of whom it is for. The hub decides what it is worth.

const KEY = "presence-hub.console.token";

/** The token in an address such as `#token=ey…`, where there is one. */
export function tokenOf(hash: string): string | undefined {
  const token = /^#token=([^&]+)/.exec(hash)?.[1];
  if (!token) return undefined;
  try {
    return decodeURIComponent(token);
  } catch {
    return undefined;
  }
}

/** Takes the token out of the address, so that it is neither read over a shoulder nor kept in the history. */
export function takeFromAddress(): string | undefined {
  const token = tokenOf(location.hash);
  if (token) history.replaceState(null, "", `${location.pathname}#/`);
  return token;
}

/** The user whom a token is for; `undefined`: it is none. */
export function subjectOf(token: string): string | undefined {
  try {
    const claims = token.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "";
    const { sub } = JSON.parse(atob(claims)) as { sub?: unknown };
    return typeof sub === "string" ? sub : undefined;
  } catch {
    return undefined;
  }
}

/** Kept for this tab alone, over reloads. Where the browser keeps nothing, one signs in anew. */
export const kept = {
  get(): string | undefined {
    try {
      return sessionStorage.getItem(KEY) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(token: string | undefined): void {
    try {
      if (token) sessionStorage.setItem(KEY, token);
      else sessionStorage.removeItem(KEY);
    } catch {
      // As above.
    }
  },
};
