import { fetchSample } from "../api.ts";
import type { OverviewQuestion } from "../overview/overview-worker.ts";
import type { CoverageCell, SampleSummary } from "../overview/summarise.ts";
import { list } from "./list.svelte.ts";
import { selection } from "./selection.svelte.ts";
import { settings } from "./settings.svelte.ts";
import { studio } from "./studio.svelte.ts";

/** The sample behind the overview; a worker holds it and bands it under the present settings. */
class OverviewState {
  summary = $state.raw<SampleSummary>();
  grid = $state.raw<readonly CoverageCell[]>();
  /** What the sample is of. */
  sample = $state.raw<{ readonly split: string; readonly total: number; readonly count: number }>();
  fault = $state<string>();
  isWorking = $state(false);
  #worker: Worker | undefined;
  #loadedFor = "";
  #asked = 0;

  /** Brings the sample of the mined set, with the verdicts as they are, unless it is there already. */
  async load(): Promise<void> {
    const name = studio.mined?.name;
    const key = `${name} ${studio.judged}`;
    if (name === undefined || key === this.#loadedFor) return;
    this.#loadedFor = key;
    this.fault = undefined;
    this.isWorking = true;
    try {
      const buffer = await fetchSample(name);
      this.#worker?.terminate();
      this.#worker = new Worker(new URL("../overview/overview-worker.ts", import.meta.url), { type: "module" });
      this.#worker.onmessage = ({ data }) => this.#take(data);
      this.#worker.onerror = () => {
        this.fault = "The sample could not be worked through.";
      };
      this.#ask({ type: "load", buffer }, [buffer]);
    } catch (error) {
      this.#loadedFor = "";
      this.fault = (error as Error).message;
      this.isWorking = false;
    }
  }

  /** Works everything out under the present settings. */
  update(): void {
    const { resolved } = settings;
    if (this.sample === undefined || resolved === undefined) return;
    this.#asked++;
    this.isWorking = true;
    for (const type of ["summary", "grid"] as const)
      this.#ask({ type, id: this.#asked, settings: resolved, need: list.need, hubs: selection.hubs });
  }

  #ask(question: OverviewQuestion, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(question, transfer);
  }

  #take(data: { type: string; id?: number; value?: unknown; message?: string } & Record<string, unknown>): void {
    if (data.type === "loaded") {
      this.sample = { split: String(data.split), total: Number(data.total), count: Number(data.count) };
      this.update();
      return;
    }
    if (data.id !== this.#asked) return; // of settings that were left behind
    if (data.type === "fault") this.fault = data.message;
    else {
      this.fault = undefined;
      if (data.type === "summary") this.summary = data.value as SampleSummary;
      else {
        this.grid = data.value as CoverageCell[];
        this.isWorking = false;
      }
    }
    if (data.type === "fault") this.isWorking = false;
  }
}

export const overview = new OverviewState();
