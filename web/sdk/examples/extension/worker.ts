// The service worker: it has the clock. Chrome kills it after 30 s without events; while it is connected, the hub's
// heartbeats keep it alive, and otherwise the alarm wakes it, which goes on where the one before it was.

import { type Order, type Outcome, shown } from "./messages.js";
import { type ClockState, chromeStorage, createClock, type PresenceError } from "./sdk.js";

/** Put in by the build. */
declare const HUB_URL: string;

const ALARM = "clock";
/** Without keyboard and mouse for so long, nobody works. Seconds; Chrome's least is 15. */
const IDLE_S = 60;

const BADGES: Record<ClockState["state"], [text: string, colour: string, title: string]> = {
  out: ["out", "#6b7280", "clocked out"],
  entering: ["…", "#2563eb", "clocking in"],
  in: ["in", "#15803d", "clocked in"],
  lost: ["lost", "#b45309", "clocked in, connection lost"],
  refused: ["!", "#b91c1c", "something to do"],
};

// Scripts in web pages must not read the token.
void chrome.storage.local.setAccessLevel({ accessLevel: "TRUSTED_CONTEXTS" });

const clock = createClock({
  url: HUB_URL,
  storage: chromeStorage(chrome.storage.local),
  // In memory only, and gone with the browser: the one place for the access code.
  session: chromeStorage(chrome.storage.session),
});

const popups = new Set<chrome.runtime.Port>();

// All listeners at once, before anything is awaited: the event that woke this worker is told to those that there are.
clock.state.subscribe(tell);
chrome.alarms.onAlarm.addListener(() => void lookIn());
// A browser that starts wakes the worker because of these two; what is to be done then is done below, as at each start.
chrome.runtime.onStartup.addListener(() => {});
chrome.runtime.onInstalled.addListener(() => {});
chrome.runtime.onMessage.addListener((order: Order, _sender, reply: (outcome: Outcome) => void) => {
  void obey(order).then(reply);
  return true;
});

chrome.runtime.onConnect.addListener((popup) => {
  popups.add(popup);
  popup.onDisconnect.addListener(() => popups.delete(popup));
  // Not before it is known where the assistant is.
  void clock.restore().then(() => popups.has(popup) && popup.postMessage(shown(clock.state.get())));
});

// What counts as work here: a tab is chosen or loaded, keyboard and mouse are used. No page is looked into.
const works = () => void clock.activity();
chrome.tabs.onActivated.addListener(works);
chrome.tabs.onUpdated.addListener((_tab, { status }) => status === "complete" && works());
chrome.idle.setDetectionInterval(IDLE_S);
chrome.idle.onStateChanged.addListener((state) => state === "active" && works());

void clock.restore().then(() => tell(clock.state.get()));

async function lookIn(): Promise<void> {
  await clock.restore();
  if ((await chrome.idle.queryState(IDLE_S)) === "active") works();
}

async function obey(order: Order): Promise<Outcome> {
  try {
    if (order.want === "clockIn") await clock.clockIn(order);
    if (order.want === "move") await clock.move(order.accountId);
    if (order.want === "clockOut") await clock.clockOut();
    return undefined;
  } catch (error) {
    const { code, message } = error as PresenceError;
    return { code, message };
  }
}

function tell(state: ClockState): void {
  for (const popup of popups) popup.postMessage(shown(state));
  const [text, colour, title] = BADGES[state.state];
  void chrome.action.setBadgeText({ text });
  void chrome.action.setBadgeTextColor({ color: "#ffffff" });
  void chrome.action.setBadgeBackgroundColor({ color: colour });
  void chrome.action.setTitle({ title: `Presence clock: ${title}` });
  // Who is out needs no waking.
  if (state.state === "out" || state.state === "refused") void chrome.alarms.clear(ALARM);
  else void wakeUs();
}

async function wakeUs(): Promise<void> {
  if (!(await chrome.alarms.get(ALARM))) await chrome.alarms.create(ALARM, { periodInMinutes: 0.5 });
}
