/** For each set of lanes, bit by bit: the bytes of these lanes, in order, of a vector of four, as `split` picks them. */
export function laneTable(): Uint8Array {
  const table = new Uint8Array(laneTableBytes);
  for (let lanes = 0; lanes < 16; lanes++) {
    let to = lanes * 16;
    for (let lane = 0; lane < 4; lane++) {
      if ((lanes & (1 << lane)) === 0) continue;
      for (let byte = 0; byte < 4; byte++) table[to++] = lane * 4 + byte;
    }
  }
  return table;
}

export const laneTableBytes = 256;
