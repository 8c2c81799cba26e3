// Where one is: the part of the address behind `#`.

import { useEffect, useState } from "preact/hooks";

export const PAGES = ["accounts", "teams", "analytics", "privacy", "why", "system"] as const;
export type PageName = (typeof PAGES)[number];

/** Where a page has another address too. */
const PATHS: { readonly [path: string]: PageName } = { "/admin/presence/analytics": "analytics" };

export interface Route {
  readonly page: PageName | undefined;
  /** What follows the name of the page: `#/accounts/<organization>`. */
  readonly rest: string;
}

export function routeOf(hash: string): Route {
  const [, name = "", rest = ""] = /^#\/([^/]*)\/?(.*)$/.exec(hash) ?? [];
  return { page: PAGES.find((page) => page === name), rest };
}

export function address(page: PageName, rest = ""): string {
  return `#/${page}${rest && `/${rest}`}`;
}

/** An address with a path of its own is turned into one of this page. */
export function canonical(): void {
  const page = PATHS[location.pathname];
  if (page) history.replaceState(null, "", `/${address(page)}`);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const moved = () => setRoute(routeOf(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return route;
}
