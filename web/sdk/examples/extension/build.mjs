// Makes the extension: `node build.mjs [--hub wss://presence.example.com/ws] [--out dist]`. Then "Load unpacked" in
// chrome://extensions, and its origin (README.md) in the hub's listen.allowed_origins.
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values } = parseArgs({
  options: {
    hub: { type: "string", default: "ws://127.0.0.1:8080/ws" },
    out: { type: "string", default: join(here, "dist") },
  },
});

await rm(values.out, { recursive: true, force: true });
await mkdir(values.out, { recursive: true });
await build({
  entryPoints: ["worker.ts", "popup.ts"].map((name) => join(here, name)),
  outdir: values.out,
  bundle: true,
  format: "esm",
  target: "chrome120",
  define: { HUB_URL: JSON.stringify(values.hub) },
});
for (const name of ["manifest.json", "popup.html", "popup.css"])
  await copyFile(join(here, name), join(values.out, name));
process.stdout.write(`${values.out}: for ${values.hub}\n`);
