/** Adds up the time that work spends in its stages. */
export interface StageTimer {
  /** The clock's time, ms. */
  now(): number;
  /** Adds the time since `start` to a stage and returns the clock's time, for the stage that follows. */
  since(stage: string, start: number): number;
}

/** What a stage took: the sum over all that ran in it, also at the same time. */
export interface StageTime {
  readonly stage: string;
  readonly ms: number;
  readonly count: number;
}

/** A timer that can say what it measured. */
export interface StageTiming extends StageTimer {
  /** Stages by time, longest first, and the time since the timer was made. */
  report(): { readonly wallMs: number; readonly stages: readonly StageTime[] };
}

/** Measures nothing and costs nothing. */
export const noTiming: StageTimer = { now: () => 0, since: () => 0 };

/** A timer over an explicit clock in ms (`performance.now`). */
export function stageTiming(now: () => number): StageTiming {
  const begin = now();
  const stages = new Map<string, { ms: number; count: number }>();
  return {
    now,
    since(stage, start) {
      const time = now();
      const sum = stages.get(stage) ?? { ms: 0, count: 0 };
      sum.ms += time - start;
      sum.count++;
      stages.set(stage, sum);
      return time;
    },
    report() {
      const sorted = [...stages].map(([stage, { ms, count }]) => ({ stage, ms, count })).sort((a, b) => b.ms - a.ms);
      return { wallMs: now() - begin, stages: sorted };
    },
  };
}

/**
 * The measured stages for a person, longest first, and what to do about the one that holds the work back (`advice`, by
 * stage). Sums can exceed the wall time, because stages run at the same time.
 */
export function timingText(timing: StageTiming, advice: Readonly<Record<string, string>>): string {
  const { wallMs, stages } = timing.report();
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const width = Math.max(5, ...stages.map(({ stage }) => stage.length));
  const rows = stages.map(
    ({ stage, ms, count }) =>
      `  ${stage.padEnd(width)}  ${seconds(ms).padStart(10)}  ${((100 * ms) / Math.max(wallMs, 1e-9)).toFixed(0).padStart(4)} % of the wall time  ${count} times`,
  );
  const first = stages[0];
  const hint = first === undefined ? undefined : advice[first.stage];
  return [
    `timing: ${seconds(wallMs)} on the clock`,
    ...rows,
    ...(first === undefined ? [] : [`  held back by ${first.stage}${hint === undefined ? "" : `: ${hint}`}`]),
  ].join("\n");
}
