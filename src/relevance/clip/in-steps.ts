type RunStep = (start: number, end: number) => Promise<Float32Array>;

/** Rows 0 to `count` in steps of at most `atOnce`, one after the other, joined. */
export async function runInSteps(count: number, atOnce: number, run: RunStep): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (let start = 0; start < count; start += atOnce) parts.push(await run(start, Math.min(count, start + atOnce)));
  return joinParts(parts);
}

/** As `inSteps`, all steps asked for at once. */
export async function runStepsAtOnce(count: number, atOnce: number, run: RunStep): Promise<Float32Array> {
  const parts: Promise<Float32Array>[] = [];
  for (let start = 0; start < count; start += atOnce) parts.push(run(start, Math.min(count, start + atOnce)));
  return joinParts(await Promise.all(parts));
}

function joinParts(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
