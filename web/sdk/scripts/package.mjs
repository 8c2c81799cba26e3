// What is published: whether its exports and types hold for whoever installs it, and how large the entries are.
import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/** Gzipped bytes of an entry, minified, with everything of ours that it needs and nothing of others. */
const MOST = { index: 8 * 1024, msgpack: 1024, "react/index": 10 * 1024, "extension/index": 8 * 1024 };

const { messages, pkg } = await publint({ level: "warning", strict: true });
for (const message of messages) process.stderr.write(`${formatMessage(message, pkg)}\n`);

execFileSync("npx", ["attw", "--pack", ".", "--profile", "esm-only", "--quiet"], { stdio: "inherit" });

let tooLarge = false;
for (const [entry, most] of Object.entries(MOST)) {
  const { outputFiles } = await build({
    entryPoints: [`dist/${entry}.js`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["react", "@msgpack/msgpack"],
    write: false,
  });
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  tooLarge ||= bytes > most;
  process.stdout.write(`size: ${entry} ${bytes} bytes gzipped, at most ${most}\n`);
}
process.exit(messages.length > 0 || tooLarge ? 1 : 0);
