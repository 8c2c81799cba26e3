// People at work: here and away, typing, clocked in with an extension or without, and enough of them for a report.

import { createPresence, type Presence, type TrackState } from "@presence-hub/sdk";
import { WebSocket } from "ws";
import { NodeSocket } from "../../../sdk/test/support/hub.js";
import type { Persona } from "../../src/contract.js";
import { eventually, type Hub } from "./hub.js";
import { HOSTILE, type Town } from "./town.js";

export interface Life {
  readonly personas: readonly Persona[];
  end(): void;
}

/** A browser extension, as far as the hub sees one: clocked in for as long as it is connected. */
export async function extension(hub: Hub, code: string, accountId: string): Promise<() => void> {
  const socket = new WebSocket(hub.url, ["presence.v1.json"]);
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => socket.send(JSON.stringify({ t: "hello", clockIn: { code, accountId } })));
    socket.on("message", (data) => {
      const { t } = JSON.parse(`${data}`) as { t: string };
      if (t === "heartbeat") socket.send(JSON.stringify({ t: "heartbeat" }));
      if (t === "clockedIn") resolve();
      if (t === "error") reject(new Error(`${data}`));
    });
  });
  return () => socket.terminate();
}

/** Clocks in by REST: without an extension, so that it is stale soon. */
export async function clockIn(hub: Hub, of: Town, who: string, account: string): Promise<void> {
  const code = await codeOf(hub, of, who);
  await hub.with(undefined)("POST", "/api/access-codes/validate", { code, accountId: of.accounts[account] });
}

export async function codeOf(hub: Hub, of: Town, who: string): Promise<string> {
  const minted = await hub.accessCode(of.people.olga ?? "", of.organization, of.people[who] ?? "");
  return minted.code;
}

export async function busy(hub: Hub, of: Town): Promise<Life> {
  const ends: (() => void)[] = [];
  const id = (who: string) => of.people[who] ?? "";
  const here = async (
    who: string,
    track: Pick<TrackState, "status"> & Partial<TrackState>,
    typing = false,
  ) => {
    await hub.as(id(who))("PUT", "/api/presence/settings", { showCurrentPage: true });
    const { status, currentPage, customStatus, customEmoji, device = "desktop" } = track;
    const presence: Presence = createPresence({
      url: hub.url,
      token: () => hub.token(id(who)),
      WebSocket: NodeSocket,
      device,
      idleAfterMs: Number.POSITIVE_INFINITY,
    });
    ends.push(presence.close);
    presence.connect();
    await presence.say({
      status: status === "idle" ? "online" : status,
      customStatus: customStatus ?? null,
      customEmoji: customEmoji ?? null,
    });
    await presence.track({ currentPage: currentPage ?? null });
    if (!typing) return;
    const again = () => void presence.track({ isTyping: true });
    again();
    const timer = setInterval(again, 2_000);
    ends.push(() => clearInterval(timer));
  };
  await Promise.all([
    here("anna", { status: "online", currentPage: "/weddings/june/guests", device: "mobile" }, true),
    here("finn", { status: "busy", customStatus: "Shooting the ceremony", customEmoji: "📸" }),
    here("rosa", { status: "away", customStatus: "At the flower market until ten" }),
    here("milo", { status: "online", device: "tablet", currentPage: "/weddings/june/timeline" }),
    here("clara", { status: "online", currentPage: "/weddings/harbour/budget" }),
    here("mallory", {
      status: "online",
      customStatus: HOSTILE.status.slice(0, 100),
      currentPage: "/<b>x</b>",
    }),
    here("adam", { status: "busy", customStatus: "In the weekly" }),
    here("val", { status: "online", currentPage: "/inbox/bookings" }),
  ]);
  await hub.as(id("ben"))("POST", "/api/presence/track", { status: "online" });
  await hub.as(id("ben"))("DELETE", "/api/presence/track");
  ends.push(await extension(hub, await codeOf(hub, of, "vera"), of.accounts["Atelier Nord"] ?? ""));
  ends.push(await extension(hub, await codeOf(hub, of, "val"), of.accounts["Fête Blanche"] ?? ""));
  ends.push(await extension(hub, await codeOf(hub, of, "mallory"), of.accounts[HOSTILE.account] ?? ""));
  await clockIn(hub, of, "vic", "Bookings");
  await report(hub, of);
  return {
    personas: [
      persona(hub, of, "olga", "Olga Novak", "Owner of the agency: the board by name, reports", "#/accounts"),
      persona(hub, of, "vera", "Vera Lind", "Virtual assistant: which accounts are free", "#/accounts"),
      persona(hub, of, "cora", "Cora Jensen", "Venue coordinator: two weddings side by side", "#/teams"),
      persona(hub, of, "anna", "Anna Weber", "Marries in June: her team, her privacy", "#/teams"),
    ],
    end: () => {
      for (const end of ends) end();
    },
  };
}

function persona(hub: Hub, of: Town, id: string, name: string, says: string, start: string): Persona {
  return { id, name, says, start, token: hub.token(of.people[id] ?? "") };
}

/** Activity of enough people that a report tells of them, added up. */
async function report(hub: Hub, of: Town): Promise<void> {
  const members = ["olga", "adam", "vera", "vic", "val", "mallory"];
  const pages = [
    "/inbox",
    "/inbox/bookings",
    "/calendar",
    "/weddings/june/timeline",
    "/suppliers",
    "/settings",
  ];
  await Promise.all(
    members.map(async (who, at) => {
      const call = hub.as(of.people[who] ?? "");
      const device = at < 3 ? "desktop" : "mobile";
      for (const [nth, page] of pages.entries())
        for (let times = 0; times <= Math.max(0, 4 - nth - at); times += 1)
          await call("POST", "/api/presence/activity", { activityType: "page_view", page, device });
    }),
  );
  const today = new Date().toISOString().slice(0, 10);
  const query = `organizationId=${of.organization}&from=${today}&to=${today}`;
  await eventually("report that tells of them", async () => {
    const run = await hub.service<{ quarters?: number }>("POST", "/api/jobs/rollups");
    const written = await hub.as(of.people.olga ?? "")<{ activeNow: number }>(
      "GET",
      `/api/presence/analytics?${query}&timeZone=Etc/GMT%2B${Math.floor(Math.random() * 12)}`,
    );
    return run && written.activeNow >= 5;
  });
  await hub.service("POST", "/api/jobs/rollups");
}
