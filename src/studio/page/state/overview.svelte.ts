import { fetchChances, fetchSample } from "../api.ts";
import type { OverviewQuestion } from "../overview/overview-worker.ts";
import type { CoverageCell, SampleSummary } from "../overview/summarise.ts";
import { list } from "./list.svelte.ts";
import { reuse } from "./reuse.svelte.ts";
import { selection } from "./selection.svelte.ts";
import { settings } from "./settings.svelte.ts";
import { studio } from "./studio.svelte.ts";

/** Expressions whose candidates are estimated: enough for a rate to a fraction of a per cent. */
const estimatedExpressions = 1000;
/** Between two looks at the estimate as it grows. */
const growMs = 1500;

/** The sample behind the overview; a worker holds it and bands it under the present settings. */
class OverviewState {
  summary = $state.raw<SampleSummary>();
  grid = $state.raw<readonly CoverageCell[]>();
  /** What the sample is of. */
  sample = $state.raw<{ readonly split: string; readonly total: number; readonly count: number }>();
  fault = $state<string>();
  isWorking = $state(false);
  /** Share of the estimate of false negatives that is worked out, 0 to 1. */
  estimated = $state(0);
  estimateFault = $state<string>();
  #estimating: AbortController | undefined;
  /** Expressions whose chances the worker has. */
  #known = 0;
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
      if (this.#loadedFor !== key) return; // left behind by a newer one
      this.#worker ??= this.#start();
      this.#ask({ type: "load", mined: name, buffer }, [buffer]);
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

  #start(): Worker {
    const worker = new Worker(new URL("../overview/overview-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => this.#take(data);
    worker.onerror = () => {
      this.fault = "The sample could not be worked through.";
    };
    return worker;
  }

  /** Brings the chances of false negatives from the server, part by part, and shows the estimate as it grows. */
  async estimate(): Promise<void> {
    const name = studio.mined?.name;
    if (name === undefined || this.sample === undefined) return;
    this.#estimating?.abort();
    const abort = new AbortController();
    this.#estimating = abort;
    this.estimateFault = undefined;
    const wanted = Math.min(this.sample.count, estimatedExpressions);
    let [at, shown] = [this.#known, performance.now()];
    try {
      while (at < wanted) {
        this.estimated = at / wanted;
        const { chances } = await fetchChances(name, at, abort.signal);
        if (abort.signal.aborted) return;
        this.#ask({ type: "chances", mined: name, start: at, chances });
        at += chances.length;
        this.#known = at;
        if (at < wanted && performance.now() - shown < growMs) continue;
        shown = performance.now();
        this.update();
      }
      this.estimated = 1;
    } catch (error) {
      if (!abort.signal.aborted) this.estimateFault = (error as Error).message;
    }
  }

  #ask(question: OverviewQuestion, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(question, transfer);
  }

  #take(data: { type: string; id?: number; value?: unknown; message?: string } & Record<string, unknown>): void {
    if (data.type === "loaded") {
      this.sample = { split: String(data.split), total: Number(data.total), count: Number(data.count) };
      this.update();
      this.#known = Number(data.estimated);
      void this.estimate();
      return;
    }
    if (data.id !== this.#asked) return; // of settings that were left behind
    if (data.type === "fault") this.fault = data.message;
    else {
      this.fault = undefined;
      if (data.type === "summary") {
        this.summary = data.value as SampleSummary;
        reuse.uses = this.summary.usesOf;
      } else {
        this.grid = data.value as CoverageCell[];
        this.isWorking = false;
      }
    }
    if (data.type === "fault") this.isWorking = false;
  }
}

export const overview = new OverviewState();
