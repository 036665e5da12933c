/**
 * Where a worker thread of this room starts: the file `name` beside the module at `url` (`import.meta.url`). Undefined where
 * that is TypeScript which this Node cannot run: the work is then done in the caller's thread, to the same numbers.
 */
export function workerEntry(name: string, url: string): URL | undefined {
  const isSource = url.endsWith(".ts");
  const runsSource = "typescript" in process.features && process.features.typescript !== false;
  return isSource && !runsSource ? undefined : new URL(`./${name}${isSource ? ".ts" : ".js"}`, url);
}
