/** How many bands of the overview's sample each image stands in: worked out there, filtered by in the list. */
class ReuseState {
  /** By image row; undefined until the overview has looked. */
  uses = $state.raw<ReadonlyMap<number, number>>();
}

export const reuse = new ReuseState();
