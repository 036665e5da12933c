/**
 * Predictions as a folder of one file each, PNG (1, 8 or 16 bits) or NPY [height, width], named by expression:
 *
 *   <source>/<ref>/<sentence>.png    the expression's key
 *   <source>/<id>.png                a sentence's or ref's id, in one source
 *   <id>.png                         a sentence's or ref's id
 *
 * and, where the model decides it, `no_target.json`: {"<key or id>": true, …}. Other files are listed, not read.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeMask, parseJson } from "../../codecs/index.ts";
import { hashFile } from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { isObject, readText } from "../read-text.ts";
import { nameOf, readNpyMask } from "./npy-predictions.ts";
import type { NamedId, PredictionEntry, PredictionSource, RawMask } from "./prediction.ts";

/** Reads predictions from a folder of one file each. Errors: "bad-input", with the file. */
export async function readPredictionFolder(path: string): Promise<PredictionSource> {
  const files = await filesBelow(path);
  const decisions = files.includes(decisionsFile) ? await readDecisions(join(path, decisionsFile)) : undefined;
  const entries: PredictionEntry[] = [];
  const ignored: string[] = [];
  for (const file of files) {
    if (file === decisionsFile) continue;
    const match = /^(.+)\.(png|npy)$/i.exec(file);
    const stem = match?.[1];
    if (stem === undefined || stem.split("/").length > 3) ignored.push(file);
    else entries.push(entryOf(join(path, file), file, nameOf(stem), decisions?.get(stem)));
  }
  const unread = ignored.filter((file) => /\.(jpe?g|webp|bmp|npz|tiff?)$/i.test(file));
  if (entries.length === 0 && unread[0] !== undefined) {
    const remedy = /npz$/i.test(unread[0])
      ? "save each array with numpy.save"
      : "save them as PNG: lossy files change a mask's values";
    fail(
      "unsupported",
      `expected predictions as PNG or NPY in ${quoteValue(path)}, got ${unread.length} like ${quoteValue(unread[0])}; ${remedy}`,
    );
  }
  if (decisions !== undefined) requireFiles(decisions, entries, path);
  return { path, form: "folder", entries, ignored, close: async () => undefined };
}

const decisionsFile = "no_target.json";

function entryOf(path: string, name: string, id: NamedId, noTarget: boolean | undefined): PredictionEntry {
  const read = /\.png$/i.test(path) ? readPng : readNpyMask;
  return {
    name,
    id,
    read: async () => ({ mask: await read(path), noTarget }),
    fingerprint: async () => `${await hashFile(path)} ${noTarget}`,
  };
}

async function readPng(path: string): Promise<RawMask> {
  const { height, width, data, depth } = await decodeMask(path);
  // One bit is a mask, whether its ones were painted 1 (a palette's index) or 255.
  if (depth === 1) return { kind: "levels", height, width, levels: data.map((level) => (level === 0 ? 0 : 1)), max: 1 };
  return { kind: "levels", height, width, levels: data, max: depth === 16 ? 65535 : 255 };
}

/** Paths of all files below a folder, relative, with "/", sorted; hidden ones are left out. */
async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(join(folder, entry.name), `${name}/`)));
    else found.push(name);
  }
  return prefix === "" ? found.sort() : found;
}

async function readDecisions(path: string): Promise<ReadonlyMap<string, boolean>> {
  const value = parseJson(await readText(path, "no-target decisions"), path);
  if (!isObject(value)) fail("bad-input", `${path}: expected {"<id>": true or false, …}, got ${quoteValue(value)}`);
  const decisions = new Map<string, boolean>();
  for (const [id, decision] of Object.entries(value)) {
    if (typeof decision !== "boolean")
      fail("bad-input", `${path}: expected true or false for ${quoteValue(id)}, got ${quoteValue(decision)}`);
    decisions.set(id, decision);
  }
  return decisions;
}

/** A decision without a mask file is a prediction of its own if it says "no target"; "false" needs the mask. */
function requireFiles(decisions: ReadonlyMap<string, boolean>, entries: PredictionEntry[], path: string): void {
  const named = new Set(entries.map((entry) => entry.name.replace(/\.(png|npy)$/i, "")));
  for (const [id, noTarget] of decisions) {
    if (named.has(id)) continue;
    if (!noTarget)
      fail(
        "bad-input",
        `${join(path, decisionsFile)}: ${quoteValue(id)} has a target by its decision, but no mask ${quoteValue(`${id}.png`)}`,
      );
    entries.push({
      name: `${decisionsFile}: ${id}`,
      id: nameOf(id),
      read: async () => ({ mask: { kind: "none" }, noTarget: true }),
      fingerprint: async () => "no target",
    });
  }
}
