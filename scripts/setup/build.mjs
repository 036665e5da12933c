import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { withSetupLock } from "./lock.mjs";
import { beginAction, say } from "./log.mjs";
import { cacheFolder, inRepo, root } from "./places.mjs";
import { runCommand } from "./run-command.mjs";

const timeoutMs = 5 * 60_000;
const stampName = ".build.json";

/**
 * Builds dist/ (TypeScript and, where it exists, the studio's page) if the sources changed since the last build, or
 * always with `force`. The build is made aside and put in place when it is whole: a failed one leaves the last good
 * dist/ alone, and files of deleted sources do not stay. Needs node_modules. Throws where the build fails.
 */
export async function ensureBuild({ force = false } = {}) {
  if (!force && isCurrent()) return;
  await withSetupLock(async () => {
    if (!force && isCurrent()) return;
    const sources = hashOfSources();
    const made = join(cacheFolder(), `dist-${process.pid}`);
    const action = beginAction("build");
    try {
      rmSync(made, { recursive: true, force: true });
      mkdirSync(made, { recursive: true });
      await compile(made, action);
      await bundlePage(made, action);
      for (const name of ["main.js", "nemosaic.cjs"])
        if (existsSync(join(made, "cli", name))) chmodSync(join(made, "cli", name), 0o755);
      writeFileSync(join(made, stampName), `${JSON.stringify({ sources })}\n`);
      putInPlace(made);
      action.end("done");
    } catch (error) {
      action.end("failed");
      rmSync(made, { recursive: true, force: true });
      throw error;
    }
  });
}

async function compile(made, action) {
  action.note("TypeScript");
  const tsc = inRepo("node_modules", "typescript", "bin", "tsc");
  const done = await runCommand(
    process.execPath,
    [tsc, "-p", inRepo("tsconfig.build.json"), "--outDir", made, "--pretty", "false"],
    { timeoutMs },
  );
  if (done.ok) return;
  say(done.output.trimEnd());
  throw new Error("the build failed: TypeScript found the errors above");
}

async function bundlePage(made, action) {
  const page = inRepo("src", "studio", "page");
  if (!existsSync(join(page, "index.html"))) return;
  action.note("the studio's page");
  const vite = inRepo("node_modules", "vite", "bin", "vite.js");
  const config = [page, root]
    .flatMap((folder) => ["ts", "mts", "js", "mjs"].map((ending) => join(folder, `vite.config.${ending}`)))
    .find((file) => existsSync(file));
  const args = [vite, "build", page, "--outDir", join(made, "studio", "page"), "--emptyOutDir", "--logLevel", "warn"];
  const done = await runCommand(process.execPath, config === undefined ? args : [...args, "--config", config], {
    timeoutMs,
    env: { NODE_ENV: "production" },
  });
  if (done.ok && existsSync(join(made, "studio", "page", "index.html"))) return;
  say(done.output.trimEnd());
  throw new Error("the build failed: Vite could not build src/studio/page");
}

function putInPlace(made) {
  const dist = inRepo("dist");
  const old = `${made}-old`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(made, dist);
  rmSync(old, { recursive: true, force: true });
}

function isCurrent() {
  const stamp = inRepo("dist", stampName);
  if (!existsSync(stamp)) return false;
  const products = [
    ["src/cli/main.ts", "dist/cli/main.js"],
    ["src/cli/nemosaic.cts", "dist/cli/nemosaic.cjs"],
    ["src/index.ts", "dist/index.js"],
    ["src/studio/page/index.html", "dist/studio/page/index.html"],
  ];
  if (products.some(([source, product]) => existsSync(inRepo(source)) && !existsSync(inRepo(product)))) return false;
  return JSON.parse(readFileSync(stamp, "utf8")).sources === hashOfSources();
}

/** By content, since a clone, a copy or a switched branch makes time stamps meaningless. */
function hashOfSources() {
  const hash = createHash("sha256");
  const single = readdirSync(root).filter((name) =>
    /^(package-lock\.json|tsconfig.*\.json|(vite|svelte)\.config\..+)$/.test(name),
  );
  for (const file of [...single.map((name) => inRepo(name)), ...filesUnder(inRepo("src"))].sort()) {
    const bytes = readFileSync(file);
    hash.update(`${relative(root, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(path);
    return entry.isFile() && !/\.(test|contract)\.ts$/.test(entry.name) ? [path] : [];
  });
}
