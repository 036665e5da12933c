/**
 * The source position of each of `targetSize` pixels by nearest neighbour over `sourceSize` pixels, never decreasing.
 * OpenCV's rule for INTER_NEAREST (resizeNN): floor(i · scale), at most sourceSize - 1, where scale is the reciprocal
 * of the rounded ratio target / source; where that differs from source / target by the last bit, positions differ.
 */
export function nearestPositions(sourceSize: number, targetSize: number): Int32Array {
  const scale = 1 / (targetSize / sourceSize);
  const positions = new Int32Array(targetSize);
  for (let i = 0; i < targetSize; i++) positions[i] = Math.min(Math.floor(i * scale), sourceSize - 1);
  return positions;
}
