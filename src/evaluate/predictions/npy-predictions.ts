import { decodeNpy, type NpyArray, type NpyDtype, NpyReader, parseJson } from "../../codecs/index.ts";
import { exists, hashBytes } from "../../io/index.ts";
import { halfToFloat } from "../../kernels/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { isObject, readBytes, readText } from "../read-text.ts";
import type { NamedId, PredictionEntry, PredictionSource, RawMask } from "./prediction.ts";

/**
 * Predictions as one stack [n, height, width] of masks or probability maps in a .npy file, with a file of n ids:
 * `ids`, else `<name>.ids.json` or `<name>.ids.txt` beside it. JSON: a list of ids, or {"by": "sentence" | "ref" |
 * "key", "ids": […], "no_target": [true, …]}; text: one id a line.
 */
export async function readNpyStack(path: string, ids?: string): Promise<PredictionSource> {
  const list = await readIds(ids ?? (await besides(path)));
  const reader = await NpyReader.open(path);
  const [count, height, width] = reader.shape;
  if (reader.shape.length !== 3 || count === undefined || height === undefined || width === undefined) {
    await reader.close();
    return fail("bad-input", `${path}: expected a stack of shape [n, height, width], got [${reader.shape.join(", ")}]`);
  }
  if (list.ids.length !== count) {
    await reader.close();
    fail("bad-input", `${list.path}: expected ${count} ids, one a mask of ${path}, got ${list.ids.length}`);
  }
  const entries = list.ids.map((id, row): PredictionEntry => {
    const name = `${path}, mask ${row}`;
    const rows = (): Promise<NpyArray> => reader.rows(row, 1);
    return {
      name,
      id,
      read: async () => ({
        mask: maskOf(await rows(), reader.dtype, height, width, name),
        noTarget: list.noTarget?.[row],
      }),
      fingerprint: async () => `${hashBytes(bytesOf(await rows()))} ${list.noTarget?.[row]}`,
    };
  });
  return { path, form: "npy", entries, ignored: [], close: () => reader.close() };
}

/**
 * Reads one mask or probability map [height, width], or [1, height, width], of a .npy file, row-major or column-major
 * (as `numpy.save` writes what pycocotools decodes).
 */
export async function readNpyMask(path: string): Promise<RawMask> {
  const array = decodeNpy(await readBytes(path), path, { columnMajor: "transpose" });
  const shape = array.shape.length === 3 && array.shape[0] === 1 ? array.shape.slice(1) : array.shape;
  const [height, width] = shape;
  if (shape.length !== 2 || height === undefined || width === undefined) {
    fail("bad-input", `${path}: expected a mask of shape [height, width], got [${array.shape.join(", ")}]`);
  }
  return maskOf(array.data, array.dtype, height, width, path);
}

function maskOf(values: NpyArray, dtype: NpyDtype, height: number, width: number, name: string): RawMask {
  switch (dtype) {
    case "float32":
    case "float64":
      if (values instanceof Float32Array || values instanceof Float64Array) {
        return { kind: "probabilities", height, width, values };
      }
      break;
    case "float16":
      return { kind: "probabilities", height, width, values: readHalves(values), precision: "half" };
    case "bool":
      return { kind: "levels", height, width, levels: zeroOrOne(values, dtype, name), max: 1 };
    case "uint8":
      if (values instanceof Uint8Array) return { kind: "levels", height, width, levels: values, max: 255 };
      break;
    case "uint16":
      if (values instanceof Uint16Array) return { kind: "levels", height, width, levels: values, max: 65535 };
      break;
    default:
      return { kind: "levels", height, width, levels: zeroOrOne(values, dtype, name), max: 1 };
  }
  return fail("internal", `${name}: an array of another type than its dtype ${dtype}`);
}

function readHalves(values: NpyArray): Float32Array {
  return values instanceof Uint16Array ? halfToFloat(values) : new Float32Array(0);
}

function zeroOrOne(values: NpyArray, dtype: NpyDtype, name: string): Uint8Array {
  const levels = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (value !== 0 && value !== 1) {
      fail(
        "bad-input",
        `${name}: expected ${dtype} to hold a mask of 0 and 1, got ${value} at pixel ${i}; save probabilities as float32, uint8 or uint16`,
      );
    }
    levels[i] = value;
  }
  return levels;
}

interface IdList {
  readonly path: string;
  readonly ids: readonly NamedId[];
  readonly noTarget: readonly boolean[] | undefined;
}

async function besides(path: string): Promise<string> {
  const stem = path.replace(/\.npy$/i, "");
  for (const candidate of [`${stem}.ids.json`, `${stem}.ids.txt`]) {
    if (await exists(candidate)) return candidate;
  }
  return fail(
    "not-found",
    `expected the ids of ${path} in ${stem}.ids.json or ${stem}.ids.txt; or name the file with --ids`,
  );
}

async function readIds(path: string): Promise<IdList> {
  const text = await readText(path, "a list of ids");
  if (!/\.json$/i.test(path)) {
    const lines = text.split(/\r?\n/).map((line) => line.trim());
    return {
      path,
      ids: lines.filter((line) => line !== "").map((line) => namedId(line, "any", path)),
      noTarget: undefined,
    };
  }
  const value = parseJson(text, path);
  const object = isObject(value) ? value : undefined;
  const list = object === undefined ? value : object.ids;
  const by = object?.by ?? "any";
  if (!Array.isArray(list) || (by !== "any" && by !== "sentence" && by !== "ref" && by !== "key")) {
    fail(
      "bad-input",
      `${path}: expected a list of ids, or {"by": "sentence" | "ref" | "key", "ids": […]}, got ${quoteValue(value)}`,
    );
  }
  return {
    path,
    ids: list.map((id) => namedId(id, by, path)),
    noTarget: decisions(object?.no_target, list.length, path),
  };
}

function decisions(value: unknown, count: number, path: string): readonly boolean[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length === count && value.every((item) => typeof item === "boolean")) return value;
  return fail("bad-input", `${path}: expected "no_target" to be ${count} of true or false, got ${quoteValue(value)}`);
}

function namedId(id: unknown, by: NamedId["by"], path: string): NamedId {
  if (typeof id !== "string" && !Number.isSafeInteger(id)) {
    fail("bad-input", `${path}: expected an id to be text or a whole number, got ${quoteValue(id)}`);
  }
  return nameOf(String(id), by);
}

/** Reads a written id: with two slashes a key, with one `source/id`, else an id. */
export function nameOf(text: string, by: NamedId["by"] = "any"): NamedId {
  const parts = text.split("/");
  if (by === "key" || (by === "any" && parts.length === 3)) return { by: "key", id: text, source: undefined };
  const [source, id] = parts;
  if (parts.length === 2 && source !== undefined && id !== undefined) return { by, id, source };
  return { by, id: text, source: undefined };
}

function bytesOf(array: NpyArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
