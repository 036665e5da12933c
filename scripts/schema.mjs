// npm run schema: assets/nemosaic.schema.json, the settings for editors, from src/settings. test/documents.test.ts fails where the file is
// not what the settings give.
import "./setup/node-version.mjs";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { runnerImport } from "vite";

const root = resolve(import.meta.dirname, "..");
const path = "assets/nemosaic.schema.json";
const { module: settings } = await runnerImport(resolve(root, "src/settings/index.ts"), { root, logLevel: "error" });
writeFileSync(resolve(root, path), `${JSON.stringify(settings.settingsJsonSchema(), null, 2)}\n`);
console.log(`wrote ${path}`);
