// What axe finds in a page. It is run from outside of the page's policy.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function axe(page: Page): Promise<AxeResults> {
  await page.evaluate(source);
  return page.evaluate(() => (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
}

/** The findings that keep somebody from a task, in a form that can be read. */
export function serious(found: AxeResults): string[] {
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical" || impact === "moderate")
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join(" | ")}`,
    );
}
