/** An empty mask of category -1 is an expression that means nothing, as `nemosaic export cris-lmdb` writes them. */
export function isNoCategory(cat: unknown): boolean {
  return cat === -1 || cat === -1n;
}
