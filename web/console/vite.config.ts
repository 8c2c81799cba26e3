import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// The SDK is used as a stranger would use it, from its package; its React entry gets Preact for React.
const react = [
  { find: /^react\/jsx-runtime$/, replacement: "preact/jsx-runtime" },
  { find: /^react(-dom)?$/, replacement: "preact/compat" },
];

const alias = { resolve: { alias: react } };

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  ...alias,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    target: ["chrome123", "firefox121", "safari17.5"],
    // Data in an address would need a wider policy for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      onLog(level, log, say) {
        // The SDK's React entry says that it is for browsers; so is all of this.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") say(level, log);
      },
    },
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.{ts,tsx}"],
          environment: "node",
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        // No test, but a measurement: `npm run bench`.
        test: { name: "bench", include: ["test/bench/**/*.test.ts"], hookTimeout: 120_000 },
      },
    ],
  },
});
