import type { ResolvedSettings, Settings } from "./schema.ts";

/** The value of a ramp at an epoch: straight between its points, held before the first and after the last. */
export function interpolateRamp(points: readonly (readonly [epoch: number, value: number])[], epoch: number): number {
  let [fromEpoch, from] = points[0] ?? [0, Number.NaN];
  for (const [toEpoch, to] of points) {
    if (epoch <= toEpoch)
      return toEpoch === fromEpoch ? to : from + ((to - from) * (epoch - fromEpoch)) / (toEpoch - fromEpoch);
    [fromEpoch, from] = [toEpoch, to];
  }
  return from;
}

/**
 * The settings as one epoch has them: ramps applied, random negatives before `randomUntil`, single images in the last
 * epochs. Returns `settings` itself where nothing is scheduled.
 */
export function settingsAt(settings: ResolvedSettings, epoch: number): ResolvedSettings {
  const { randomUntil, epochs, gamma, tau, k } = settings.schedule;
  const isPlain = epochs !== null && epoch >= epochs - plainEpochs(settings.schedule);
  const isWarmUp = epoch < randomUntil;
  if (!isPlain && !isWarmUp && gamma === null && tau === null && k === null) return settings;
  return {
    ...settings,
    mosaic: {
      ...settings.mosaic,
      gamma: isPlain ? 0 : gamma === null ? settings.mosaic.gamma : interpolateRamp(gamma, epoch),
      randomShare: isWarmUp ? 1 : settings.mosaic.randomShare,
    },
    band: {
      ...settings.band,
      tau: tau === null ? settings.band.tau : interpolateRamp(tau, epoch),
      k: k === null ? settings.band.k : Math.max(1, Math.round(interpolateRamp(k, epoch))),
    },
  };
}

/** How many epochs at the end hold single images only; a share of the epochs is rounded, and none while these are not known. */
export function plainEpochs({ epochs, plainLast }: Pick<Settings["schedule"], "epochs" | "plainLast">): number {
  return plainLast < 1 ? Math.round(plainLast * (epochs ?? 0)) : plainLast;
}

/** True where some samples have a sentence that is true of nothing, of such a source where one is given. */
export function drawsNegatives({ gres }: Pick<Settings, "gres">, source?: "edited" | "mined" | "random"): boolean {
  return gres.negativeSentence > 0 && (source === undefined || gres.negativeSource.split("+").includes(source));
}

/** True where some epoch of these settings draws from the band, so that mined candidates have to be there. */
export function usesMined({ mosaic, schedule }: Pick<Settings, "mosaic" | "schedule">): boolean {
  const gammas = schedule.gamma?.map(([, gamma]) => gamma) ?? [mosaic.gamma];
  return Math.max(...gammas) > 0 && mosaic.randomShare < 1;
}
