import type { HubCuts } from "../../../band/index.ts";
import type { ResolvedSettings } from "../../../settings/index.ts";
import type { SampleAnswer } from "../contract.ts";
import { unpack } from "../unpack.ts";
import { coverage, gridKs, gridRisks, gridTaus, type Sampled, summarise } from "./summarise.ts";

/**
 * What the page asks: first the sample once, then summaries and grids under changing settings. Chances of false
 * negatives come in parts, as the server works them out; they hold for the sample's places, whatever the verdicts.
 */
export type OverviewQuestion =
  | { readonly type: "load"; readonly mined: string; readonly buffer: ArrayBuffer }
  | {
      readonly type: "chances";
      readonly mined: string;
      readonly start: number;
      readonly chances: readonly Float32Array[];
    }
  | {
      readonly type: "summary" | "grid";
      readonly id: number;
      readonly settings: ResolvedSettings;
      readonly need: number;
      readonly hubs: HubCuts | undefined;
    };

let sample: Sampled[] = [];
let chances: Float32Array[] = [];
let loaded = "";

self.onmessage = ({ data }: MessageEvent<OverviewQuestion>) => {
  if (data.type === "load") {
    const answer = unpack(data.buffer) as SampleAnswer;
    if (data.mined !== loaded) chances = [];
    loaded = data.mined;
    sample = [...answer.answers];
    const { split, total } = answer;
    self.postMessage({ type: "loaded", split, total, count: sample.length, estimated: chances.length });
    return;
  }
  if (data.type === "chances") {
    const { mined, start } = data;
    if (mined === loaded)
      data.chances.forEach((part, at) => {
        chances[start + at] = part;
      });
    return;
  }
  const { type, id, settings, need, hubs } = data;
  const capped = sample.map((one, at) => ({
    ...one,
    context: hubs === undefined ? one.context : { ...one.context, hubs },
    chances: chances[at],
  }));
  try {
    const value =
      type === "summary"
        ? summarise(capped, settings, need)
        : coverage(capped, settings, need, {
            ...(settings.band.risk === null
              ? { rule: "tau", limits: gridTaus(sample, 22, settings.band.tau) }
              : { rule: "risk", limits: gridRisks(settings.band.risk) }),
            ks: gridKs(sample[0]?.row.ids.length ?? 0, settings.band.k),
          });
    self.postMessage({ type, id, value });
  } catch (error) {
    self.postMessage({ type: "fault", id, message: (error as Error).message });
  }
};
