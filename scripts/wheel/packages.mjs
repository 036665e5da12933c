import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, inRepo } from "../setup/places.mjs";
import { runCommand, tailOf } from "../setup/run-command.mjs";
import { fits } from "./platforms.mjs";

/** The optional peer that `resample: "fast"` decodes with: in the wheel, so that it draws the pixels of a clone. */
const alsoWanted = ["@julusian/jpeg-turbo"];

/** What packages need while npm installs them, and never again. */
const onlyAtInstall = new Set(["adm-zip", "cmake-js", "global-agent", "node-addon-api", "yargs"]);

/**
 * The npm packages that the command needs to run on a platform, in the versions of package-lock.json:
 * [{path, version, integrity}], `path` being where npm puts them ("node_modules/a/node_modules/b").
 */
export function packagesFor(platform, lock = JSON.parse(readFileSync(inRepo("package-lock.json"), "utf8"))) {
  const found = new Map();
  const visit = (name, from) => {
    const path = resolved(name, from, lock.packages);
    const entry = path === undefined ? undefined : lock.packages[path];
    if (entry === undefined) return false;
    if (!fits(entry, platform) || found.has(path)) return true;
    found.set(path, { path, version: entry.version, integrity: entry.integrity });
    for (const [needed, isOptional] of [
      ...Object.keys(entry.dependencies ?? {}).map((other) => [other, false]),
      // Only those that name a platform: the rest are stand-ins in WebAssembly.
      ...Object.keys(entry.optionalDependencies ?? {}).map((other) => [other, true]),
    ]) {
      if (onlyAtInstall.has(needed)) continue;
      const at = resolved(needed, path, lock.packages);
      if (isOptional && lock.packages[at]?.os === undefined) continue;
      if (!visit(needed, path)) throw new Error(`package-lock.json has no ${needed}, which ${path} needs`);
    }
    return true;
  };
  for (const name of [...Object.keys(lock.packages[""].dependencies), ...alsoWanted]) {
    if (!visit(name, "")) throw new Error(`package-lock.json has no ${name}`);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Where Node would find `name` from the package at `from`. */
function resolved(name, from, packages) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (at === "") return undefined;
    if (!at.includes("/node_modules/")) return packages[`node_modules/${name}`] && `node_modules/${name}`;
  }
}

/** The folder with a package's files: node_modules, or for other platforms a copy that npm fetches and the lock file's hash proves. */
export async function folderOf({ path, version, integrity }) {
  const installed = inRepo(path);
  if (existsSync(join(installed, "package.json"))) return installed;
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  const folder = join(cacheFolder(), "npm", `${name.replace("/", "+")}-${version}`);
  if (existsSync(join(folder, "package.json"))) return folder;
  const making = `${folder}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  try {
    await run(
      "npm",
      ["pack", `${name}@${version}`, "--pack-destination", making, "--silent"],
      `npm cannot fetch ${name}@${version}`,
    );
    const [tarball] = readdirSync(making);
    const bytes = readFileSync(join(making, tarball));
    const hash = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    if (hash !== integrity)
      throw new Error(`expected ${name}@${version} with ${integrity} of package-lock.json, got ${hash}`);
    await run("tar", ["-xzf", join(making, tarball), "-C", making], `tar cannot unpack ${name}@${version}`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(making, "package"), folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return folder;
}

async function run(command, args, what) {
  const done = await runCommand(command, args, { timeoutMs: 5 * 60_000 });
  if (!done.ok) throw new Error(`${what}:\n${tailOf(done.output, 4)}`);
}
