import { NemosaicError, type PlanKind, type PlanPolicy } from "../model/index.ts";
import type { Loader } from "./loader.ts";

/** What some plans of an epoch came to. */
export interface PlanCounts {
  readonly plans: number;
  /** Plans that were to be mosaics, and those that are. */
  readonly asked: number;
  readonly mosaics: number;
  readonly kinds: Readonly<Partial<Record<PlanKind, number>>>;
  /** Plans in which the kind drawn could not be had, by the policy that decided. */
  readonly policies: Readonly<Partial<Record<PlanPolicy, number>>>;
  /** Plans at which the policy "error" would stop a run. */
  readonly stopped: number;
}

/** Plans samples of an epoch, draws none, and counts kinds and policies. */
export function countPlans(loader: Pick<Loader, "plan">, epoch: number, indices: Iterable<number>): PlanCounts {
  const kinds: Partial<Record<PlanKind, number>> = {};
  const policies: Partial<Record<PlanPolicy, number>> = {};
  let [plans, asked, mosaics, stopped] = [0, 0, 0, 0];
  for (const index of indices) {
    plans++;
    try {
      const { kind, why, layers } = loader.plan(epoch, index);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      const isMosaic = layers.length > 1;
      // What wanted another sentence was no mosaic that could not be had.
      const isWanted = why.wanted !== undefined && why.wanted !== "single" && why.policy !== "no-sentence";
      if (isMosaic || isWanted) asked++;
      if (isMosaic) mosaics++;
      if (why.policy !== undefined) policies[why.policy] = (policies[why.policy] ?? 0) + 1;
    } catch (error) {
      if (!(error instanceof NemosaicError) || error.code !== "incomplete") throw error;
      stopped++;
      asked++;
    }
  }
  return { plans, asked, mosaics, kinds, policies, stopped };
}
