import { readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { exists, ifMissing, makeFolder, onDisk, type Progress, withLock, writeFileAtomic } from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { downloadBlob } from "./download.ts";
import type { HubAccess } from "./hub-access.ts";
import { type FileFacts, fileFacts } from "./metadata.ts";

/*
 * The cache that huggingface_hub and this program share:
 *
 *   models--org--name/refs/<revision>              the commit that a branch or tag stood at
 *   models--org--name/blobs/<etag>                 content: SHA-256 of an LFS file, git's SHA-1 of another
 *   models--org--name/blobs/<etag>.incomplete      a transfer that was cut; the next run goes on from its end
 *   models--org--name/snapshots/<commit>/<path>    a link to its blob
 *   models--org--name/.no_exist/<commit>/<path>    an empty mark: the repository has no such file
 */

/** A repository of the hub at one commit. */
export interface HubRepository {
  /** The snapshot's folder; files lie in it under their own paths. */
  readonly folder: string;
  /**
   * The path on this disk of a file of the repository, downloaded and checked when it is not there yet; undefined where
   * the repository has no such file. Errors: `offline`, `network`, `checksum`, `not-found` (repository, revision).
   */
  get(path: string): Promise<string | undefined>;
  /** Whether the repository has the file; nothing is downloaded. Without the network: whether it is in the cache. */
  has(path: string): Promise<boolean>;
}

/**
 * Opens "org/name" or "org/name@revision". With the network a branch or tag is looked up anew; without (offline, or the
 * hub out of reach) the commit last seen is used.
 */
export async function openHubRepository(spec: string, hub: HubAccess, progress: Progress): Promise<HubRepository> {
  const [id = spec, named] = spec.split("@");
  const revision = named ?? hub.revision;
  const root = join(hub.cacheDir, `models--${id.replaceAll("/", "--")}`);
  const cached = await cachedCommit(root, revision);
  if (hub.offline) {
    if (cached === undefined) failOffline(id, revision, hub);
    return repositoryAt({ id, commit: cached, root, hub, progress, isOffline: true });
  }
  if (isCommit(revision) && cached !== undefined) {
    return repositoryAt({ id, commit: revision, root, hub, progress, isOffline: false });
  }
  try {
    const commit = await currentCommit(id, revision, hub);
    if (!isCommit(revision)) await writeFileAtomic(join(root, "refs", ...revision.split("/")), commit);
    return repositoryAt({ id, commit, root, hub, progress, isOffline: false });
  } catch (error) {
    const isUnreachable = error instanceof Error && "code" in error && error.code === "network";
    if (!isUnreachable || cached === undefined) throw error;
    const task = progress.begin("hub", undefined, "files");
    task.note(`the hub is out of reach (${error.message}); ${id} is taken from the cache`);
    task.end();
    return repositoryAt({ id, commit: cached, root, hub, progress, isOffline: true });
  }
}

interface Place {
  readonly id: string;
  readonly commit: string;
  readonly root: string;
  readonly hub: HubAccess;
  readonly progress: Progress;
  readonly isOffline: boolean;
}

function repositoryAt(place: Place): HubRepository {
  const { id, commit, root, hub, isOffline } = place;
  const folder = join(root, "snapshots", commit);
  return {
    folder,
    async has(path) {
      if (await exists(join(folder, path))) return true;
      return !isOffline && (await fileFacts({ id, revision: commit, path }, hub)) !== undefined;
    },
    async get(path) {
      const link = join(folder, path);
      if (await exists(link)) return link;
      const absent = join(root, ".no_exist", commit, path);
      if (isOffline) return undefined;
      if (await exists(absent)) return undefined;
      const facts = await fileFacts({ id, revision: commit, path }, hub);
      if (facts === undefined) {
        await writeFileAtomic(absent, "");
        return undefined;
      }
      await fetchBlob(path, facts, place);
      await linkSnapshot(link, join(root, "blobs", facts.etag));
      return link;
    },
  };
}

async function fetchBlob(path: string, facts: FileFacts, { id, root, hub, progress }: Place): Promise<void> {
  const blob = join(root, "blobs", facts.etag);
  if (await exists(blob)) return;
  await makeFolder(dirname(blob));
  const lockName = `${facts.etag}.nemosaic.lock`;
  await withLock(
    dirname(blob),
    `download ${id}/${path}`,
    async () => {
      if (await exists(blob)) return;
      const partial = `${blob}.incomplete`;
      await downloadBlob({ name: `${id}/${path}`, facts, partial, hub, progress });
      await onDisk(blob, () => rename(partial, blob));
    },
    lockName,
  );
}

/** A relative link as Python makes it; a copy's stand-in (a hard move) where the file system has no links. */
async function linkSnapshot(link: string, blob: string): Promise<void> {
  await makeFolder(dirname(link));
  try {
    await symlink(relative(dirname(link), blob), link);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") return;
    if (code !== "EPERM" && code !== "ENOSYS" && code !== "ENOTSUP") throw error;
    await rm(link, { force: true });
    await writeFile(link, await readFile(blob));
  }
}

async function cachedCommit(root: string, revision: string): Promise<string | undefined> {
  const named = isCommit(revision)
    ? revision
    : (await readFile(join(root, "refs", ...revision.split("/")), "utf8").catch(ifMissing(undefined)))?.trim();
  if (named === undefined) return undefined;
  const info = await stat(join(root, "snapshots", named)).catch(() => undefined);
  return info?.isDirectory() === true ? named : undefined;
}

/** Any file's answer names the commit; config.json is the one that all models have. */
async function currentCommit(id: string, revision: string, hub: HubAccess): Promise<string> {
  const facts = await fileFacts({ id, revision, path: "config.json" }, hub);
  if (facts !== undefined) return facts.commit;
  if (isCommit(revision)) return revision;
  return fail(
    "not-found",
    `expected config.json in the hub's ${id} (${revision}), found none: is it a model in the ONNX layout?`,
  );
}

function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

function failOffline(id: string, revision: string, hub: HubAccess): never {
  return fail(
    "offline",
    `expected ${quoteValue(id)} (${revision}) in the cache "${hub.cacheDir}", found nothing, and downloads are off: run once without --offline, or name a model's folder`,
  );
}
