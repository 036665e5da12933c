import { styleOf } from "../styles/index.ts";
import { plainEpochs, usesMined } from "./schedule.ts";
import type { Settings } from "./schema.ts";

/**
 * What is wrong between keys that are each right by themselves: one line with the key's path, or undefined where
 * nothing is. Asked once when settings are read, so that no run ends in the middle.
 */
export function findContradiction(settings: Settings): string | undefined {
  const { tokens, band, schedule, mosaic, gres, legacy } = settings;
  if (tokens.length < 2) return "tokens.length must hold start and end";
  if (band.rankTo !== null && band.rankTo <= band.rankFrom)
    return `band.rankTo must be above band.rankFrom, got ${band.rankFrom} and ${band.rankTo}: no candidate would be left`;
  const highestTau = schedule.tau === null ? band.tau : Math.max(...schedule.tau.map(([, tau]) => tau));
  if (band.minScore !== null && typeof highestTau === "number" && band.minScore > highestTau)
    return `band.minScore must not be above τ, got ${band.minScore} and ${highestTau}: no candidate would be left`;
  for (const key of ["gamma", "tau", "k"] as const) {
    const points = schedule[key] ?? [];
    const at = points.findIndex(([epoch], index) => index > 0 && epoch <= (points[index - 1]?.[0] ?? 0));
    if (at > 0) return `schedule.${key} must rise in epochs, got ${points[at]?.[0]} after ${points[at - 1]?.[0]}`;
  }
  if (schedule.plainLast >= 1 && schedule.epochs === null)
    return "schedule.plainLast counts back from the end: set schedule.epochs too";
  if (schedule.epochs !== null && schedule.plainLast > schedule.epochs)
    return `schedule.plainLast must be at most schedule.epochs, got ${schedule.plainLast} of ${schedule.epochs}`;
  if (schedule.epochs !== null && schedule.randomUntil > schedule.epochs)
    return `schedule.randomUntil must be at most schedule.epochs, got ${schedule.randomUntil} of ${schedule.epochs}`;
  const short = usesMined(settings) && settings.tooFew === "error" ? tooFewCandidates(settings) : undefined;
  if (short !== undefined) return `${short}; tooFew "error" would stop the run at the first`;
  if (legacy.repeats && settings.draw.method !== "uniform")
    return `legacy.repeats draws uniformly, as the released loader does; that contradicts draw.method "${settings.draw.method}" contradicts`;
  if (!styleOf(mosaic.style).isGrid) {
    if (gres.makeNoTarget > 0)
      return `gres.makeNoTarget leaves a cell's image out, which mosaic.style "${mosaic.style}" has not; use style "nemo"`;
    if (legacy.canvas) return `legacy.canvas is about grids, which mosaic.style "${mosaic.style}" has not`;
  }
  if (legacy.canvas && mosaic.crossPoint !== 0)
    return "legacy.canvas draws equal cells; a moving mosaic.crossPoint has none";
  return undefined;
}

/** What is allowed and yet hardly meant: lines for people, none where all is well. */
export function settingsRemarks(settings: Settings): string[] {
  const short = usesMined(settings) ? tooFewCandidates(settings) : undefined;
  return [
    ...(short === undefined ? [] : [`${short}; tooFew "${settings.tooFew}" decides each`]),
    ...plainRemarks(settings.schedule),
  ];
}

/** Says so where a share of the epochs comes to none. */
function plainRemarks({ epochs, plainLast }: Settings["schedule"]): string[] {
  if (plainLast === 0 || plainEpochs({ epochs, plainLast }) > 0) return [];
  const share = `schedule.plainLast ${Math.round(100 * plainLast)} %`;
  if (epochs !== null)
    return [`${share} of ${epochs} epoch${epochs === 1 ? "" : "s"} is no whole epoch: mosaics stay until the end`];
  return [
    `${share} of the epochs cannot be counted while schedule.epochs is not set: mosaics stay until the end, which costs accuracy; set the number of epochs`,
  ];
}

/** The most negatives that one mosaic of these settings asks for. */
export function mostNegatives({ mosaic, gres }: MosaicAndGres): number {
  return styleOf(mosaic.style).mostNegatives(mosaic, gres.makeNoTarget > 0);
}

type MosaicAndGres = Pick<Settings, "mosaic"> & { readonly gres: { readonly makeNoTarget: number } };

/** Says so where no band can ever fill a mosaic of these settings, whatever the candidates are. */
function tooFewCandidates(settings: Settings): string | undefined {
  const { band, schedule, mosaic, legacy } = settings;
  const need = mostNegatives(settings);
  const k = schedule.k === null ? band.k : Math.min(...schedule.k.map(([, value]) => Math.round(value)));
  const what = `${need} negatives, as many as ${styleOf(mosaic.style).isGrid ? `grid "${mosaic.grid}"` : `style "${mosaic.style}"`} asks for`;
  const ranks = (band.rankTo ?? Number.POSITIVE_INFINITY) - band.rankFrom;
  if (ranks < need) return `ranks from band.rankFrom ${band.rankFrom} to band.rankTo ${band.rankTo} never hold ${what}`;
  if (k < need && !(legacy.repeats && k >= 20)) return `a band of K = ${k} never holds ${what}`;
  return undefined;
}
