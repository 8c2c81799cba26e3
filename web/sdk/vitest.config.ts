import { defineConfig } from "vitest/config";

// `unit` needs nothing; `hub` a hub that is built; `browser` a Chromium besides; `bench` is no test, but measures. One alone:
// `npx vitest run --project unit`.
export default defineConfig({
  test: {
    // They mostly wait.
    maxWorkers: 4,
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.{ts,tsx}"], testTimeout: 60_000 } },
      {
        test: {
          name: "hub",
          include: ["test/hub/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: "bench", include: ["test/bench/**/*.test.ts"], hookTimeout: 60_000 } },
    ],
  },
});
