// The popup: it shows what the worker says, and tells it what the person wants.

import type { Order, Outcome, Shown } from "./messages.js";
import { attempt, notice, seen, sinceWhen, trouble } from "./words.js";

const BADGES: Record<Shown["state"], string> = {
  out: "Clocked out",
  entering: "Clocking in",
  in: "Clocked in",
  lost: "Connection lost",
  refused: "Your turn",
};
/** Under which the accounts are kept that were used, and how many. */
const USED = "accounts";
const MOST_USED = 8;

let now: Shown | undefined;
/** What became of the last thing that was wanted, where the state does not say it. */
let failed = "";

function part<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** The worker may be killed at any time: asking for it again wakes another. */
function follow(): void {
  const worker = chrome.runtime.connect();
  worker.onMessage.addListener((state: Shown) => {
    now = state;
    draw();
  });
  worker.onDisconnect.addListener(() => setTimeout(follow, 100));
}

async function want(order: Order): Promise<void> {
  failed = "";
  // A worker that is killed meanwhile answers nothing; the next one goes on with it.
  const outcome: Outcome = await chrome.runtime.sendMessage(order).catch(() => undefined);
  const told = now?.state === "refused" || now?.state === "out" || outcome?.code === "superseded";
  failed = outcome && !told ? trouble(outcome) : "";
  if (!outcome && "accountId" in order) await used(order.accountId);
  draw();
}

function draw(): void {
  if (!now) return;
  const { state, hold, pending } = now;
  const held = (state === "in" || state === "lost") && hold;
  document.body.dataset.state = state;
  say("badge", BADGES[state]);
  say("notice", notice(now) || failed);
  say("attempt", attempt(now));
  part("enter").hidden = state !== "out" && state !== "refused";
  part("entering").hidden = state !== "entering";
  part("held").hidden = !held;
  part<HTMLButtonElement>("go").disabled = pending !== undefined;
  part<HTMLButtonElement>("out").disabled = pending === "clockOut";
  if (held) drawHold(held);
  const account = part<HTMLInputElement>("account");
  if (state === "refused" && !account.value) account.value = now.accountId ?? "";
}

function drawHold({ accountId, since, adminsSee }: NonNullable<Shown["hold"]>): void {
  say("where", accountId);
  say("since", sinceWhen(since));
  const words = adminsSee.map(seen);
  if (part("seen").dataset.words === words.join()) return;
  part("seen").dataset.words = words.join();
  part("seen").replaceChildren(
    ...words.map((word) => {
      const item = document.createElement("li");
      item.textContent = word;
      return item;
    }),
  );
}

/** Only what is new: what changes is read aloud. */
function say(id: string, text: string): void {
  if (part(id).textContent === text) return;
  part(id).textContent = text;
  part(id).hidden = text === "";
}

/** Offers the accounts that were used, the last one first. */
async function used(accountId?: string): Promise<void> {
  const kept: unknown = (await chrome.storage.local.get(USED))[USED];
  const before: string[] = Array.isArray(kept) ? kept.filter((id) => id !== accountId) : [];
  const accounts = [...(accountId ? [accountId] : []), ...before].slice(0, MOST_USED);
  if (accountId) await chrome.storage.local.set({ [USED]: accounts });
  part("accounts").replaceChildren(...accounts.map((id) => new Option(id, id)));
}

function onSubmit(id: string, act: () => Promise<void>): void {
  part(id).addEventListener("submit", (event) => {
    event.preventDefault();
    void act();
  });
}

function typed(id: string): string {
  return part<HTMLInputElement>(id).value.trim();
}

onSubmit("enter", async () => {
  const order: Order = { want: "clockIn", code: typed("code"), accountId: typed("account").toLowerCase() };
  part<HTMLInputElement>("code").value = "";
  await want(order);
});
onSubmit("move", async () => {
  await want({ want: "move", accountId: typed("to").toLowerCase() });
  part<HTMLInputElement>("to").value = "";
});
part("out").addEventListener("click", () => void want({ want: "clockOut" }));
part("cancel").addEventListener("click", () => void want({ want: "clockOut" }));

follow();
void used();
// Times go on.
setInterval(draw, 1_000);
