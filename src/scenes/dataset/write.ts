import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  canonicalJson,
  exists,
  hashBytes,
  hashFile,
  hashJson,
  ifMissing,
  makeFolder,
  type Progress,
  producer,
  removeLeftovers,
  silentProgress,
  withLock,
  writeFileAtomic,
} from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { objectClasses } from "../classes.ts";
import { wordings } from "../grammar/wordings.ts";
import { loadSprites, type SpriteSet } from "../picture/sprites.ts";
import type { ChunkTask, SceneTally } from "./chunk.ts";
import { crewSize, inOrder } from "./crew.ts";
import { readmeOf } from "./folder-readme.ts";
import type { ScenesManifest } from "./manifest.ts";
import { type SceneSettings, sceneSettingsOf, type WriteScenesOptions } from "./options.ts";
import { openOutputs } from "./outputs.ts";

/** What `writeScenes` did. `isReused`: the folder held the same dataset already, and nothing was written. */
export interface ScenesReport {
  readonly manifest: ScenesManifest;
  readonly isReused: boolean;
}

const formatVersion = 1;
const manifestName = "scenes.json";
const startedName = "scenes.started.json";
const imagePattern = /^scene_\d{12}\.jpg$/;
const chunkLength = 16;

/**
 * Draws a referring dataset into `folder` in REFER's form (docs/scenes.md has the layout). The same options give the same
 * bytes. A run that was killed goes on where it stopped when it is started again; a folder that is whole and of the same
 * settings is left as it is, and what is missing in one is drawn again.
 * Errors: "usage" for options out of range; "exists" for a folder with other content, unless `force`.
 */
export async function writeScenes(
  folder: string,
  options: WriteScenesOptions = {},
  progress: Progress = silentProgress,
): Promise<ScenesReport> {
  const settings = sceneSettingsOf(options);
  const workers = crewSize(settings.count, options.workers);
  await makeFolder(folder);
  return withLock(folder, "draw scenes", async () => {
    const sprites = await loadSprites();
    const settingsHash = hashJson({
      formatVersion,
      settings,
      sprites: sprites.hash,
      classes: objectClasses,
      wordings,
      producer,
    });
    const known = await manifestIn(folder);
    const isSame = known?.settingsHash === settingsHash && options.force !== true;
    if (isSame && (await isWhole(folder, known))) {
      await rm(join(folder, startedName), { force: true });
      return { manifest: known, isReused: true };
    }
    const goesOn = await prepare(folder, settingsHash, known !== undefined, isSame, options.force === true);
    await writeFileAtomic(join(folder, startedName), canonicalJson({ settingsHash }));
    const manifest = await draw({ folder, settings, settingsHash, keepsImages: goesOn, workers, sprites }, progress);
    await writeFileAtomic(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
    await rm(join(folder, startedName), { force: true });
    return { manifest, isReused: false };
  });
}

/** Whether all that the manifest lists is still there; what is in the files is not read again. */
async function isWhole(folder: string, manifest: ScenesManifest): Promise<boolean> {
  const files = Object.keys(manifest.hashes).filter((name) => name !== "images");
  for (const name of [...files, "README.md"]) if (!(await exists(join(folder, name)))) return false;
  const images = await readdir(join(folder, "images")).catch(ifMissing([]));
  return images.filter((name) => imagePattern.test(name)).length === manifest.settings.count;
}

/** Clears the way; returns whether images of an interrupted run with the same settings may be kept. */
async function prepare(
  folder: string,
  settingsHash: string,
  hasManifest: boolean,
  isSame: boolean,
  force: boolean,
): Promise<boolean> {
  const started = await readFile(join(folder, startedName), "utf8").catch(ifMissing(undefined));
  const goesOn = isSame || (!force && started === canonicalJson({ settingsHash }));
  if (goesOn) await rm(join(folder, manifestName), { force: true });
  if (!goesOn) {
    const found = (await readdir(folder)).filter((name) => !name.startsWith(".nemosaic"));
    if (found.length > 0 && !force) {
      const what =
        hasManifest || started !== undefined
          ? "scenes of other settings"
          : `other content (${quoteValue(found[0])}, …)`;
      fail(
        "exists",
        `expected an empty folder at "${folder}", found ${what}. Use --force to replace what is there, or another folder`,
      );
    }
    await removeOwn(folder);
  }
  await makeFolder(join(folder, "images"));
  await removeLeftovers(join(folder, "images"));
  await removeLeftovers(folder);
  for (const name of ["refer", "grefs"]) await removeLeftovers(join(folder, name, "scenes"));
  return goesOn;
}

/** Removes what an earlier run wrote, and nothing else. The manifest goes first: what is left is not a whole dataset. */
async function removeOwn(folder: string): Promise<void> {
  for (const name of [manifestName, startedName, "scenes.jsonl", "README.md"])
    await rm(join(folder, name), { force: true });
  for (const name of [
    "refer/scenes/refs(unc).p",
    "refer/scenes/instances.json",
    "grefs/scenes/grefs(unc).json",
    "grefs/scenes/instances.json",
  ]) {
    await rm(join(folder, name), { force: true });
  }
  const images = await readdir(join(folder, "images")).catch(ifMissing([]));
  for (const name of images.filter((file) => imagePattern.test(file))) await rm(join(folder, "images", name));
}

interface DrawJob {
  readonly folder: string;
  readonly settings: SceneSettings;
  readonly settingsHash: string;
  readonly keepsImages: boolean;
  readonly workers: number;
  readonly sprites: SpriteSet;
}

async function draw(
  { folder, settings, settingsHash, keepsImages, workers, sprites }: DrawJob,
  progress: Progress,
): Promise<ScenesManifest> {
  const counts: SceneTally = {};
  const imageHashes: string[] = [];
  const outputs = await openOutputs(folder, settings);
  const task = progress.begin("draw scenes", settings.count, "images");
  try {
    const tasks = tasksOf(settings, join(folder, "images"), keepsImages);
    for await (const result of inOrder(tasks, workers, sprites)) {
      await outputs.add(result);
      imageHashes.push(...result.imageHashes);
      for (const [name, by] of Object.entries(result.tally)) counts[name] = (counts[name] ?? 0) + by;
      task.advance(result.lines.length);
    }
    await outputs.commit();
  } catch (error) {
    await outputs.abort();
    throw error;
  } finally {
    task.end();
  }
  const share = (part: string, whole: string): number =>
    Math.round(((counts[part] ?? 0) / Math.max(1, counts[whole] ?? 0)) * 1e4) / 1e4;
  const manifest: ScenesManifest = {
    format: "nemosaic-scenes",
    version: formatVersion,
    producer,
    settings,
    settingsHash,
    spritesHash: sprites.hash,
    counts: Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))),
    shares: {
      hardRefs: share("hardRefs", "refs"),
      hardImages: share("hardImages", "images"),
      relationRefs: share("relationRefs", "refs"),
    },
    hashes: { ...(await hashesOf(folder, outputs.files)), images: hashBytes(imageHashes.join("\n")) },
  };
  await writeFileAtomic(join(folder, "README.md"), readmeOf(manifest));
  return manifest;
}

function* tasksOf(settings: SceneSettings, imageFolder: string, keepsImages: boolean): Generator<ChunkTask> {
  for (let from = 0; from < settings.count; from += chunkLength) {
    yield { from, to: Math.min(settings.count, from + chunkLength), settings, imageFolder, keepsImages };
  }
}

async function hashesOf(folder: string, files: readonly string[]): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const file of files) hashes[file] = await hashFile(join(folder, file));
  return hashes;
}

async function manifestIn(folder: string): Promise<ScenesManifest | undefined> {
  const path = join(folder, manifestName);
  if (!(await exists(path))) return undefined;
  try {
    const manifest = JSON.parse(await readFile(path, "utf8")) as ScenesManifest;
    if (manifest.format === "nemosaic-scenes" && typeof manifest.settingsHash === "string") return manifest;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return undefined; // not ours: `prepare` refuses it without --force
}
