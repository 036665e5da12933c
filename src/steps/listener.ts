import { type Progress, silentProgress } from "../io/index.ts";
import { Pool } from "../pool/index.ts";

/** Whom a step tells what it does; whatever is left out is told to nobody. */
export interface Listener {
  /** How far the work is. */
  readonly progress?: Progress | undefined;
  /** A remark for a person. */
  readonly onRemark?: ((line: string) => void) | undefined;
  /** Something that may be wrong with the result. */
  readonly onWarning?: ((line: string) => void) | undefined;
}

/** A listener of whom every part can be told. */
export function fullListener({ progress, onRemark, onWarning }: Listener): {
  readonly progress: Progress;
  readonly onRemark: (line: string) => void;
  readonly onWarning: (line: string) => void;
} {
  const nobody = (): void => undefined;
  return { progress: progress ?? silentProgress, onRemark: onRemark ?? nobody, onWarning: onWarning ?? nobody };
}

/** Calls `work` with a pool that is open, or opened from its folder and closed afterwards. */
export async function withPool<T>(pool: string | Pool, work: (pool: Pool) => Promise<T>): Promise<T> {
  if (typeof pool !== "string") return work(pool);
  const opened = await Pool.open(pool);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}
