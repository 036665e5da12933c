/**
 * Finds a dataset's images by the names that it gives them, where the files are called a little differently:
 *
 *   COCO_train2014_000000000009.jpg   000000000009.jpg, train2017/… or val2017/… (the files of COCO 2017), and back
 *   a\b.jpg                           a/b.jpg
 *   é as one character (NFC)          e and an accent (NFD, macOS), and back
 *   a.JPG, Images/a.jpg               a.jpg, images/a.jpg
 *
 * A name that stands for exactly one file is found, and the finder says how; what is left is an error that says what
 * lies nearest.
 */
import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { fail, NemosaicError, quoteValue } from "../model/index.ts";
import { ifMissing } from "./if-missing.ts";
import { insideName, insidePath } from "./paths.ts";

/** Where an image lies. */
export interface FoundImage {
  /** The name below the folder, with "/". */
  readonly file: string;
  /** The absolute path, links followed. */
  readonly path: string;
  /** By what the found name differs from the one asked for; undefined where they are equal. */
  readonly how?: string;
}

/** A finder for the images below one folder. Lists each folder at most once. */
export class ImageFinder {
  readonly folder: string;
  readonly #followLinks: boolean;
  readonly #names = new Map<string, Promise<readonly string[]>>();

  constructor(folder: string, followLinks = false) {
    this.folder = folder;
    this.#followLinks = followLinks;
  }

  /**
   * Finds the image called `name`. Errors: "not-found" with what lies nearest; "refused" for a name that leaves the folder,
   * and for a link that does, unless links are followed.
   */
  async find(name: string): Promise<FoundImage> {
    const exact = await this.#at(name);
    if (exact !== undefined) return { file: name, path: exact };
    const slashed = name.replaceAll("\\", "/");
    const ways: readonly (readonly [file: string, how: string])[] = [
      ...(slashed === name ? [] : [[slashed, `with "/" in place of "\\"`] as const]),
      ...cocoNames(slashed).map((file) => [file, "under its name in another release of COCO"] as const),
    ];
    for (const [file, how] of ways) {
      const path = await this.#at(file);
      if (path !== undefined) return { file, path, how };
    }
    for (const file of [slashed, ...cocoNames(slashed)]) {
      const near = await this.#nearly(file);
      const path = near === undefined ? undefined : await this.#at(near);
      if (near === undefined || path === undefined) continue;
      const isForm = near.normalize("NFC") === slashed.normalize("NFC");
      return { file: near, path, how: isForm ? "in another Unicode form (NFC, NFD)" : "in other upper and lower case" };
    }
    const hint = await this.#hint(slashed);
    fail("not-found", `expected a file ${quoteValue(name)} in "${this.folder}", found nothing there${hint}`);
  }

  /** The path of `file`; undefined where nothing is there. */
  async #at(file: string): Promise<string | undefined> {
    try {
      return await pathBelow(this.folder, file, this.#followLinks);
    } catch (error) {
      if (error instanceof NemosaicError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  /** The one name that equals `file` but for case and Unicode form, folder by folder. */
  async #nearly(file: string): Promise<string | undefined> {
    let found = "";
    for (const part of file.split("/")) {
      const names = await this.#list(found);
      const fitting = names.includes(part) ? [part] : names.filter((name) => foldName(name) === foldName(part));
      const [only] = fitting;
      if (only === undefined || fitting.length > 1) return undefined;
      found = found === "" ? only : `${found}/${only}`;
    }
    return found;
  }

  async #hint(file: string): Promise<string> {
    const slash = file.lastIndexOf("/");
    const names = await this.#list(file.slice(0, Math.max(0, slash)));
    const stem = (name: string): string => foldName(name.replace(/\.[^.]*$/, ""));
    const wanted = stem(file.slice(slash + 1));
    const near = names.filter((name) => stem(name) === wanted);
    if (near.length === 0) return "";
    const listed = near.slice(0, 3).map((name) => quoteValue(name));
    return `; ${listed.join(", ")} ${near.length > 1 ? "are" : "is"} there: correct the name in the dataset, or the file's`;
  }

  #list(below: string): Promise<readonly string[]> {
    const known = this.#names.get(below);
    if (known !== undefined) return known;
    const names = readdir(join(this.folder, below)).catch(ifMissing([]));
    this.#names.set(below, names);
    return names;
  }
}

/**
 * The absolute path of `file` inside `folder`, links followed; with `followLinks` a link may lead out of the folder, the
 * name itself may not. Errors: "refused", "not-found".
 */
export async function pathBelow(folder: string, file: string, followLinks: boolean): Promise<string> {
  if (!followLinks) return insidePath(folder, file);
  const path = insideName(folder, file);
  return realpath(path).catch(() =>
    fail("not-found", `expected a file ${quoteValue(file)} in "${folder}", found nothing there`),
  );
}

/** The names that a COCO image has in the other releases. */
function cocoNames(name: string): string[] {
  const old = /^(?:(.*)\/)?COCO_(?:train|val|test)201[45]_(\d{12}\.jpg)$/.exec(name);
  if (old !== null) {
    const [, folder = "", number = ""] = old;
    const above = folder.includes("/") ? `${folder.slice(0, folder.lastIndexOf("/"))}/` : "";
    const here = folder === "" ? "" : `${folder}/`;
    return [...new Set([here, `${here}train2017/`, `${here}val2017/`, `${above}train2017/`, `${above}val2017/`])].map(
      (place) => `${place}${number}`,
    );
  }
  const now = /^((?:.*\/)?)(\d{12}\.jpg)$/.exec(name);
  if (now === null) return [];
  const [, here = "", number = ""] = now;
  return ["train2014", "val2014"].map((set) => `${here}COCO_${set}_${number}`);
}

function foldName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
