// npm run evidence [-- OPTIONS]: installs and builds what is missing, then runs the experiment (run.mjs).
import "../scripts/setup/node-version.mjs";
import { ensureBuild } from "../scripts/setup/build.mjs";
import { ensureNodeModules } from "../scripts/setup/node-modules.mjs";

try {
  await ensureNodeModules();
  if (process.env.NEMOSAIC_DIST === undefined) await ensureBuild();
  await import("./run.mjs");
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
