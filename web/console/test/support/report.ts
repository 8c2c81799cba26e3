// Activity as pages tell it, and the report that is made of it.

import type { Report } from "../../src/contract.js";
import { eventually } from "./hub.js";
import type { Scene } from "./scene.js";

/** Somebody views a page so many times. */
export async function views({ hub, id }: Scene, who: string, page: string, times: number): Promise<void> {
  const body = { activityType: "page_view", page, device: "desktop" };
  for (let time = 0; time < times; time += 1) await hub.as(id(who))("POST", "/api/presence/activity", body);
}

/** Lets the hub add up what was told, until an owner's report of today has so many views in all. */
export async function added(at: Scene, viewsInAll: number): Promise<Report> {
  const today = new Date().toISOString().slice(0, 10);
  const range = `from=${today}&to=${today}`;
  return eventually("report with all views", async () => {
    await at.hub.service("POST", "/api/jobs/rollups");
    const path = `/api/presence/analytics?organizationId=${at.of.organization}&${range}`;
    const report = await at.hub.as(at.id("olga"))<Report>("GET", path);
    const told = report.pageViews.reduce((sum, { views }) => sum + views, 0);
    return told >= viewsInAll ? report : undefined;
  });
}
