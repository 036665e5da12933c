import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inRepo } from "../setup/places.mjs";
import { folderOf, packagesFor } from "./packages.mjs";

/** What running needs nothing of: types, maps, documents (licences stay), sources in C. */
const leftOut = /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown|cc|cpp|h|hpp|gyp|gypi|flow)$|^CMakeLists\.txt$/i;
const licence = /^(licen[cs]e|notice|copying|authors|third)/i;

/**
 * The files of the engine on a platform: [{path, bytes, isExecutable}], `path` below the engine's folder. The compiled
 * command, its assets and scene-clip, and the packages it needs with native parts of this platform alone.
 */
export async function engineFiles(platform) {
  const files = [
    ...under(inRepo("dist"), "dist").filter(({ name }) => !name.startsWith(".")),
    ...under(inRepo("assets"), "assets", () => true),
    ...under(inRepo("models", "scene-clip"), "models/scene-clip").filter(({ path }) => !/\.(py|mjs)$/.test(path)),
    ...["package.json", "LICENSE"].map((name) => ({ path: name, source: inRepo(name) })),
  ];
  for (const found of packagesFor(platform)) {
    const isNative = nativeParts(platform);
    files.push(...under(await folderOf(found), found.path).filter(({ path }) => isNative(path)));
  }
  return files.map(({ path, source }) => ({
    path,
    bytes: readFileSync(source),
    isExecutable: (statSync(source).mode & 0o111) !== 0,
  }));
}

/** Whether a file belongs to a platform, of packages that bring binaries for many. */
function nativeParts({ os, cpu }) {
  return (path) => {
    const runtime = /onnxruntime-node\/bin\/napi-v\d+\/([^/]+)\/([^/]+)\/(.*)/.exec(path);
    // macOS's library lies there twice, once under a name with its full version that nothing asks for.
    if (runtime) return runtime[1] === os && runtime[2] === cpu && !/\.\d+\.\d+\.\d+\.dylib$/.test(runtime[3]);
    const turbo = /jpeg-turbo\/prebuilds\/jpeg-turbo-([^/]+)\//.exec(path);
    return turbo === null || turbo[1] === `${os}-${cpu}`;
  };
}

function under(folder, below, isWanted = (name) => !leftOut.test(name) || licence.test(name)) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const [source, path] = [join(folder, entry.name), `${below}/${entry.name}`];
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : under(source, path, isWanted);
    return entry.isFile() && isWanted(entry.name) ? [{ name: entry.name, path, source }] : [];
  });
}
