/** Rows 0 to `count` in steps of at most `atOnce`, joined. */
export async function inSteps(
  count: number,
  atOnce: number,
  run: (start: number, end: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  if (count <= atOnce) return count === 0 ? new Float32Array(0) : run(0, count);
  const parts: Float32Array[] = [];
  for (let start = 0; start < count; start += atOnce) parts.push(await run(start, Math.min(count, start + atOnce)));
  const joined = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
