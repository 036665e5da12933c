import type { HubCuts } from "../../../band/index.ts";
import type { ResolvedSettings } from "../../../settings/index.ts";
import type { SampleAnswer } from "../contract.ts";
import { unpack } from "../unpack.ts";
import { coverage, gridKs, gridTaus, type Sampled, sampledOf, summarise } from "./summarise.ts";

/** What the page asks: first the sample once, then summaries and grids under changing settings. */
export type OverviewQuestion =
  | { readonly type: "load"; readonly buffer: ArrayBuffer }
  | {
      readonly type: "summary" | "grid";
      readonly id: number;
      readonly settings: ResolvedSettings;
      readonly need: number;
      readonly hubs: HubCuts | undefined;
    };

let sample: Sampled[] = [];

self.onmessage = ({ data }: MessageEvent<OverviewQuestion>) => {
  if (data.type === "load") {
    const answer = unpack(data.buffer) as SampleAnswer;
    sample = sampledOf(answer.answers);
    self.postMessage({ type: "loaded", split: answer.split, total: answer.total, count: sample.length });
    return;
  }
  const { type, id, settings, need, hubs } = data;
  const capped = hubs === undefined ? sample : sample.map((one) => ({ ...one, context: { ...one.context, hubs } }));
  try {
    const value =
      type === "summary"
        ? summarise(capped, settings, need)
        : coverage(capped, settings, gridTaus(sample, 22), gridKs(sample[0]?.row.ids.length ?? 0));
    self.postMessage({ type, id, value });
  } catch (error) {
    self.postMessage({ type: "fault", id, message: (error as Error).message });
  }
};
