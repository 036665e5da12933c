/**
 * The room `artefacts`: sets of columns that are made step by step (embeddings, mined sets, what is added to these), journalled,
 * made in shards and merged, and swapped in whole.
 *
 *   staging.ts    files that appear together: until all is made, the finished artefact stays as it was
 *   columns.ts    .npy columns in a staging, rows step by step; a killed run goes on behind the last step
 *   journal.ts    which steps are on disk
 *   parts.ts      what shards leave, and that all of it is there and of one run
 *   merge.ts      parts to whole columns
 *   manifest.ts   manifests checked by zod, errors in our words
 *
 * Every use has the same shape, under the folder's lock (`withLock`):
 *
 *   const staging = await openStaging(folder, "mined");
 *   const writer = await openColumns(staging, { name: "mined", key, rows, columns });
 *   for (let start = writer.done; start < rows; start += step) await writer.write([…blocks]);
 *   await writer.close();
 *   await writeFileAtomic(staging.path("mined.json"), manifest);
 *   await staging.commit(["mined.json"]);
 *
 * One more column of a mined set, a number for each candidate: see `mining/store/extras.ts`.
 */
export { type Column, type ColumnsWriter, gatherRows, openColumns } from "./columns.ts";
export {
  firstIssue,
  type ManifestKind,
  readManifest,
  readManifestJson,
  requireHead,
  sha256,
  wholeNumber,
} from "./manifest.ts";
export { type ColumnShare, joinColumn } from "./merge.ts";
export { type Part, partSchema, readPart, requireAllRows, requirePartHash, rowRange, withParts } from "./parts.ts";
export { partsFolder, requireSameRun, type ShardFolder, shardFolder } from "./shard-folders.ts";
export {
  finishSwap,
  makeAside,
  openStaging,
  removeStaging,
  removeWorkOf,
  type Staging,
  stagingFolder,
} from "./staging.ts";
