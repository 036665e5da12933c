import { createHash, randomBytes } from "node:crypto";
import { lstat, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hashBytes, hashFile, makeFolder, onDisk, openAtomic, writeFileAtomic } from "../io/index.ts";
import { announceFiles } from "./journal.ts";

/** One finished file of an export; `path` is relative to its folder, with "/". */
export interface OutputFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Collects the files of an export while they are assembled. */
export class ExportOutput {
  readonly folder: string;
  readonly #files = new Map<string, OutputFile>();
  readonly #links: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Every file so far, by path; a path counts once. */
  get files(): OutputFile[] {
    return [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Takes in a file that lies in the folder already. */
  add(file: OutputFile): void {
    this.#files.set(file.path, file);
  }

  /** Writes a file whole. */
  async write(path: string, data: Uint8Array | string): Promise<void> {
    await this.#foretell(path);
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    await writeFileAtomic(join(this.folder, path), bytes);
    this.add({ path, bytes: bytes.length, sha256: hashBytes(bytes) });
  }

  /** Writes a file piece by piece: `fill` gets a function that appends; the file appears when it returns. */
  async stream(
    path: string,
    fill: (append: (data: Uint8Array | string) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    await this.#foretell(path);
    const file = await openAtomic(join(this.folder, path));
    const hash = createHash("sha256");
    let bytes = 0;
    let pending: Uint8Array[] = [];
    let held = 0;
    const flush = async (): Promise<void> => {
      if (held === 0) return;
      const block = Buffer.concat(pending);
      pending = [];
      held = 0;
      hash.update(block);
      await file.write(block);
    };
    try {
      await fill(async (data) => {
        const piece = typeof data === "string" ? Buffer.from(data) : data;
        pending.push(piece);
        bytes += piece.length;
        held += piece.length;
        if (held >= 1 << 20) await flush();
      });
      await flush();
      await file.commit();
    } catch (error) {
      await file.abort();
      throw error;
    }
    this.add({ path, bytes, sha256: hash.digest("hex") });
  }

  /** Has `fill` write a file at the full path that it is given, and takes it in, hashing it. */
  async adopt(path: string, fill: (full: string) => Promise<unknown>): Promise<void> {
    await this.#foretell(path);
    const full = join(this.folder, path);
    await onDisk(full, async () => {
      await makeFolder(dirname(full));
      await fill(full);
    });
    const { size } = await stat(full);
    this.add({ path, bytes: size, sha256: await hashFile(full) });
  }

  /** A second way to the folder `target`, which is relative to the link's own; none where the file system knows no links. */
  async link(path: string, target: string): Promise<void> {
    await this.#foretell(path);
    const full = join(this.folder, path);
    await makeFolder(dirname(full));
    await makeFolder(join(dirname(full), target));
    const known = await lstat(full).catch(() => undefined);
    if (known === undefined) await symlink(target, full, "dir").catch(() => undefined);
    this.#links.push(path);
  }

  /** The links so far, sorted. */
  get links(): string[] {
    return [...this.#links].sort();
  }

  async #foretell(path: string): Promise<void> {
    await announceFiles(this.folder, "assembly", [path]);
  }
}

/**
 * Writes one of very many small files: whole or not at all, though not synced one by one (the assembly looks at their
 * sizes again). Errors: "io".
 */
export async function writeSmallFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.nemosaic-tmp-${process.pid}-${randomBytes(4).toString("hex")}`;
  await onDisk(path, async () => {
    try {
      await makeFolder(dirname(path));
      await writeFile(temporary, bytes);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}
