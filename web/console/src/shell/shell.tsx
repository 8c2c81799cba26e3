// What is around every page: where one can go, whether the view is live, and oneself.

import { PresenceProvider, useConnection, useTrackEverywhere } from "@presence-hub/sdk/react";
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { AccountsPage } from "../accounts/page.js";
import { AnalyticsPage } from "../analytics/page.js";
import { type Mine, mayAdminister } from "../contract.js";
import { badge } from "../format.js";
import { PrivacyPage } from "../privacy/page.js";
import { address, type PageName, useRoute } from "../router.js";
import { useMine, useSession } from "../session.js";
import { SystemPage } from "../system/page.js";
import { TeamsPage } from "../teams/page.js";
import { choose, isDark } from "../theme.js";
import { Icon } from "../ui/icon.js";
import { Failed, Loading } from "../ui/parts.js";
import { WhyPage } from "../why/page.js";
import { useActiveNow } from "./active.js";
import { ConnectionLine } from "./connection.js";
import { StatusMenu } from "./status.js";

export interface PageProps {
  readonly mine: Mine;
  readonly rest: string;
}

interface Page {
  readonly name: PageName;
  readonly label: string;
  readonly show: ComponentType<PageProps>;
  readonly for: (mine: Mine) => boolean;
}

const PAGES: readonly Page[] = [
  { name: "accounts", label: "Accounts", show: AccountsPage, for: (mine) => mine.organizations.length > 0 },
  {
    name: "teams",
    label: "Teams",
    show: TeamsPage,
    for: (mine) => mine.weddings.length + mine.organizations.length > 0,
  },
  {
    name: "analytics",
    label: "Analytics",
    show: AnalyticsPage,
    for: (mine) => mine.organizations.some(({ role }) => mayAdminister(role)),
  },
  { name: "privacy", label: "Privacy", show: PrivacyPage, for: () => true },
  { name: "why", label: "Why", show: WhyPage, for: () => true },
  { name: "system", label: "System", show: SystemPage, for: (mine) => mine.operator },
];

export function Shell({ onSignOut }: { readonly onSignOut: () => void }) {
  const session = useSession();
  return (
    <PresenceProvider presence={session.presence}>
      <Frame onSignOut={onSignOut} />
    </PresenceProvider>
  );
}

function Frame({ onSignOut }: { readonly onSignOut: () => void }) {
  const { page, rest } = useRoute();
  const { value: mine, error } = useMine();
  const pages = mine ? PAGES.filter((of) => of.for(mine)) : [];
  const shown = pages.find(({ name }) => name === page) ?? pages[0];
  useTrackEverywhere({ currentPage: shown && `/console/${shown.name}` });
  const main = useRef<HTMLElement>(null);
  useTitle(shown?.label, main);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header class="top">
        <span class="brand">
          <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect class="mark-box" width="32" height="32" rx="9" />
            <circle class="mark-dot" cx="13" cy="16" r="6" />
            <circle class="mark-dot mark-other" cx="22.5" cy="16" r="3.5" />
          </svg>
          <span class="brand-name">Presence</span>
        </span>
        <Navigation pages={pages} now={shown?.name} mine={mine} />
        <div class="top-end">
          <ConnectionLine />
          <StatusMenu />
          <ThemeToggle />
          <button type="button" class="button quiet icon-button" aria-label="Sign out" onClick={onSignOut}>
            <Icon name="out" />
          </button>
        </div>
      </header>
      <SignInEnded onSignOut={onSignOut} />
      <main id="main" ref={main} tabIndex={-1} class={`page page-${shown?.name ?? "none"}`}>
        {!mine && (error ? <Failed error={error} /> : <Loading what="your organizations and weddings" />)}
        {mine && shown && <shown.show key={shown.name} mine={mine} rest={shown.name === page ? rest : ""} />}
      </main>
    </>
  );
}

/** Names the page, and leads the keyboard into it when it is changed. */
function useTitle(label: string | undefined, main: { readonly current: HTMLElement | null }): void {
  const before = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (!label) return;
    document.title = `${label} · Presence`;
    if (before.current !== undefined && before.current !== label) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    before.current = label;
  }, [label, main]);
}

interface NavigationProps {
  readonly pages: readonly Page[];
  readonly now: PageName | undefined;
  readonly mine: Mine | undefined;
}

function Navigation({ pages, now, mine }: NavigationProps) {
  const active = useActiveNow(mine) ?? 0;
  return (
    <nav class="nav" aria-label="Pages">
      {pages.map(({ name, label }) => (
        <a key={name} class="nav-link" href={address(name)} aria-current={name === now ? "page" : undefined}>
          <Icon name={name} />
          <span>{label}</span>
          {name === "analytics" && badge(active) && (
            <span class="nav-badge">
              {badge(active)}
              <span class="sr-only"> active now</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}

function ThemeToggle() {
  const [dark, setDark] = useState(isDark);
  const toggle = () => {
    choose(dark ? "light" : "dark");
    setDark(!dark);
  };
  return (
    <button
      type="button"
      class="button quiet icon-button"
      aria-label={dark ? "Light colors" : "Dark colors"}
      onClick={toggle}
    >
      <Icon name={dark ? "sun" : "moon"} />
    </button>
  );
}

/** The token is worth nothing any more: what is shown stays, but nothing new comes. */
function SignInEnded({ onSignOut }: { readonly onSignOut: () => void }) {
  const connection = useConnection();
  const session = useSession();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    session.onRefused = () => setRefused(true);
  }, [session]);
  const lost = connection.state === "waiting" || connection.state === "ended";
  const token = lost && (connection.reason.kind === "token" || isToken(connection.reason));
  useEffect(() => {
    if (connection.state === "connected") setRefused(false);
  }, [connection]);
  const out = connection.state === "ended";
  if (!token && !refused && !out) return null;
  return (
    <div class="note note-bad banner" role="alert">
      <span>
        {token || refused ? "Your sign-in has ended." : "You were signed out."} What you see may be old.
      </span>
      <button type="button" class="button" onClick={onSignOut}>
        Sign in again
      </button>
    </div>
  );
}

function isToken(reason: { readonly kind: string; readonly code?: number }): boolean {
  return reason.kind === "closed" && reason.code !== undefined && reason.code >= 4200 && reason.code < 4300;
}
