/** The room `io`: what touches the disk safely: atomic writes, hashes, locks, paths, shards; progress, timing and worker threads. */
export {
  type AtomicFile,
  exists,
  openAtomic,
  removeLeftovers,
  temporaryMark,
  writeFileAtomic,
  writeFileOnce,
  writeFully,
} from "./atomic.ts";
export { cacheFolder } from "./cache-folder.ts";
export { freeBytes } from "./free-bytes.ts";
export { canonicalJson, hashBytes, hashFile, hashJson } from "./hash.ts";
export { IdleCores } from "./idle-cores.ts";
export { ifMissing } from "./if-missing.ts";
export { ImageFinder, pathBelow } from "./image-finder.ts";
export { removeRemains, withLock } from "./lock.ts";
export { makeFolder } from "./make-folder.ts";
export { diskProblem, onDisk } from "./on-disk.ts";
export { artefactName, insidePath } from "./paths.ts";
export { producer, version } from "./producer.ts";
export {
  byteText,
  duration,
  formatCount,
  formatNumber,
  type Progress,
  type ProgressTask,
  silentProgress,
  streamProgress,
} from "./progress.ts";
export { type Shard, shardRange, shardText } from "./shards.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export { parseBytes, readTileVariables, type TileVariables } from "./tile-variables.ts";
export { noTiming, type StageTimer, type StageTiming, stageTiming, timingText } from "./timing.ts";
export { stopWorker, takeTasks } from "./worker-thread.ts";
