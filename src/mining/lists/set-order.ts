/**
 * The order in which CPython walks `set(ids)`, filled from a list in its order: the reference numbers images by it
 * (`list(set([…]))`), so that its image lists can be read in no other. `ids` are whole numbers from 0 to 2^48, repeats
 * allowed. An int is its own hash; a table of a power of two slots is probed nine slots on, then by the recurrence
 * i = 5i + 1 + perturb. Source: Objects/setobject.c of CPython 3.7 to 3.13.
 */
export function pythonSetOrder(ids: readonly number[]): number[] {
  let table: number[] = new Array<number>(smallestTable).fill(-1);
  let used = 0;
  for (const id of ids) {
    const slot = slotFor(table, id);
    if (table[slot] === id) continue;
    table[slot] = id;
    used++;
    if (used * 5 >= (table.length - 1) * 3) table = growTable(table, used > 50_000 ? used * 2 : used * 4);
  }
  return table.filter((id) => id >= 0);
}

const smallestTable = 8;
const linearProbes = 9;
const perturbShift = 5;

/** The slot that holds `id`, or the empty one where it belongs. */
function slotFor(table: readonly number[], id: number): number {
  const mask = table.length - 1;
  let perturb = id;
  let start = id % table.length;
  for (;;) {
    const probes = start + linearProbes <= mask ? linearProbes : 0;
    for (let slot = start; slot <= start + probes; slot++) {
      if (table[slot] === -1 || table[slot] === id) return slot;
    }
    perturb = Math.floor(perturb / 2 ** perturbShift);
    start = (start * 5 + 1 + perturb) % table.length;
  }
}

function growTable(table: readonly number[], least: number): number[] {
  let size = smallestTable;
  while (size <= least) size *= 2;
  const larger = new Array<number>(size).fill(-1);
  for (const id of table) if (id >= 0) larger[slotFor(larger, id)] = id;
  return larger;
}
