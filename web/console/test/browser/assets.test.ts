// What is built: small, all of it its own, and with nothing that a strict policy forbids.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const files = readdirSync(DIST, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

it("is small", () => {
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
  process.stdout.write(`assets: ${(bytes / 1_024).toFixed(1)} KiB gzipped\n`);
  expect(bytes).toBeLessThan(60 * 1_024);
});

it("asks nobody else, and has nothing in the page itself", () => {
  const page = readFileSync(join(DIST, "index.html"), "utf8");
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|\son\w+=|https?:/);
  for (const file of files) {
    const foreign = readFileSync(file, "utf8").match(/https?:\/\/[^"'`\s)]+/g) ?? [];
    // Names of languages, not addresses.
    expect(foreign.filter((url) => !url.startsWith("http://www.w3.org/"))).toEqual([]);
  }
  expect(
    files.some((file) => /@import|url\(/.test(file.endsWith(".css") ? readFileSync(file, "utf8") : "")),
  ).toBe(false);
});
