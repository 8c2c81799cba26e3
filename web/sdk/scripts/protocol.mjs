// Writes the types of the frames from the protocol's schema; with --check, says whether they are up to date.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const schemas = new URL("../../../proto/schema/", import.meta.url);
const types = new URL("../src/protocol/", import.meta.url);

async function typesOf(side, root) {
  const schema = JSON.parse(await readFile(new URL(`${side}.json`, schemas), "utf8"));
  schema.title = root;
  return compile(schema, root, {
    additionalProperties: false,
    bannerComment: `// Made from proto/schema/${side}.json by \`npm run protocol\`: change that.`,
    style: { printWidth: 110 },
    unreachableDefinitions: true,
  });
}

let stale = false;
for (const [side, root] of [
  ["client", "ClientFrame"],
  ["server", "ServerFrame"],
]) {
  const file = new URL(`${side}.ts`, types);
  const made = await typesOf(side, root);
  if (process.argv.includes("--check")) {
    stale ||= made !== (await readFile(file, "utf8").catch(() => ""));
  } else {
    await writeFile(file, made);
  }
}
if (stale) {
  process.stderr.write("src/protocol does not follow from proto/schema: run `npm run protocol` in web/sdk\n");
  process.exit(1);
}
