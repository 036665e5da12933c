// npm run build: dist/ from the sources, always.
import "./setup/node-version.mjs";
import { ensureBuild } from "./setup/build.mjs";
import { ensureNodeModules } from "./setup/node-modules.mjs";

try {
  await ensureNodeModules();
  await ensureBuild({ force: true });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
