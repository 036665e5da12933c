import type { Settings } from "./schema.ts";

/**
 * What is wrong between keys that are each right by themselves: one line with the key's path, or undefined where
 * nothing is. Asked once when settings are read, so that no run ends in the middle.
 */
export function contradiction(settings: Settings): string | undefined {
  const { tokens, band, schedule, mosaic, gres, legacy } = settings;
  if (tokens.length < 2) return "tokens.length must hold start and end";
  if (band.rankTo !== null && band.rankTo <= band.rankFrom)
    return `band.rankTo must be above band.rankFrom, got ${band.rankFrom} and ${band.rankTo}: no candidate would be left`;
  for (const key of ["gamma", "tau", "k"] as const) {
    const points = schedule[key] ?? [];
    const at = points.findIndex(([epoch], index) => index > 0 && epoch <= (points[index - 1]?.[0] ?? 0));
    if (at > 0) return `schedule.${key} must rise in epochs, got ${points[at]?.[0]} after ${points[at - 1]?.[0]}`;
  }
  if (schedule.plainLast > 0 && schedule.epochs === null)
    return "schedule.plainLast counts back from the end: set schedule.epochs too";
  if (schedule.epochs !== null && schedule.plainLast > schedule.epochs)
    return `schedule.plainLast must be at most schedule.epochs, got ${schedule.plainLast} of ${schedule.epochs}`;
  if (mosaic.style !== "nemo") {
    if (gres.makeNoTarget > 0)
      return `gres.makeNoTarget leaves a cell's image out, which mosaic.style "${mosaic.style}" has not; use style "nemo"`;
    if (legacy.canvas) return `legacy.canvas is about grids, which mosaic.style "${mosaic.style}" has not`;
  }
  if (legacy.canvas && mosaic.crossPoint !== 0)
    return "legacy.canvas draws equal cells; a moving mosaic.crossPoint has none";
  return undefined;
}
