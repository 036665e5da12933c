/** How long lanes were busy and idle. */
export interface LaneClock {
  /** One lane more is busy (1), or one less (-1). */
  readonly change: (by: 1 | -1) => void;
  /** A lane is busy from the call until `run` settles. */
  during<T>(run: () => Promise<T>): Promise<T>;
  read(): { readonly modelMs: number; readonly waitMs: number };
}

/** Adds up how long `lanes` lanes were busy and idle, from now on. */
export function laneClock(lanes: number): LaneClock {
  let busyLanes = 0;
  let last = performance.now();
  let [modelMs, waitMs] = [0, 0];
  const change = (by: number): void => {
    const now = performance.now();
    const busy = busyLanes / lanes;
    modelMs += busy * (now - last);
    waitMs += (1 - busy) * (now - last);
    last = now;
    busyLanes += by;
  };
  return {
    change,
    async during(run) {
      change(1);
      try {
        return await run();
      } finally {
        change(-1);
      }
    },
    read() {
      change(0);
      return { modelMs, waitMs };
    },
  };
}
