// What runs in the pages of the browser tests: somebody who watches a channel, and is in it.

import {
  type Channel,
  type Connection,
  createPresence,
  type Presence,
  type PresenceRecord,
} from "../../src/index.js";

/** What the test looks at: `window.here`. */
export interface Here {
  presence: Presence;
  wedding: Channel;
  /** Every change that was told, in order. */
  changes: { joined: string[]; updated: string[]; left: string[] }[];
  /** How many records were changed. */
  changed: number;
  /** Every state of the connection, in order. */
  connections: Connection[];
  /** Whether the page came out of the back-forward cache. */
  restored: boolean;
  /** Errors that nobody caught. */
  uncaught: string[];
  /** The token that the page has; the test may give it another. */
  token: string;
  /** When the last change came, and when it was on the screen. Milliseconds of the wall, shared by pages. */
  arrived: number;
  painted: number;
}

const who = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const presence = createPresence({ url: who.url, token: () => here.token });
const wedding = presence.channel(who.channel, { people: "roster" });
const here: Here = {
  presence,
  wedding,
  changes: [],
  changed: 0,
  connections: [],
  restored: false,
  uncaught: [],
  token: who.token,
  arrived: 0,
  painted: 0,
};
(window as unknown as { here: Here }).here = here;

addEventListener("error", ({ message }) => here.uncaught.push(message));
addEventListener("unhandledrejection", ({ reason }) => here.uncaught.push(`${reason}`));
addEventListener("pageshow", ({ persisted }) => {
  here.restored ||= persisted;
});

const ids = (records: readonly PresenceRecord[]) =>
  records.map((record) => ("userId" in record ? record.userId : ""));
const wall = () => performance.timeOrigin + performance.now();

function draw(): void {
  const people = document.getElementById("people") as HTMLElement;
  people.replaceChildren(
    ...wedding.get().people.map((person) => {
      const item = document.createElement("li");
      item.textContent = `${person.userId} ${person.status}`;
      return item;
    }),
  );
}

wedding.subscribe((_, change) => {
  if (!change) return;
  here.arrived = wall();
  here.changed += change.joined.length + change.updated.length + change.left.length;
  here.changes.push({ joined: ids(change.joined), updated: ids(change.updated), left: ids(change.left) });
  if (who.draw !== false) draw();
  requestAnimationFrame(() => {
    // Behind the frame that shows it.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      here.painted = wall();
    };
    port2.postMessage(0);
  });
});
presence.connection.subscribe((connection) => here.connections.push(connection));
if (who.track !== false) void wedding.track({ currentPage: "/timeline" });
presence.connect();
