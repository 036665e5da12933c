import {
  type Band,
  type BandContext,
  bandOf,
  type CandidateRow,
  type HubCuts,
  thresholdsOf,
} from "../../../band/index.ts";
import { fetchCandidates, fetchExpression, fetchHubs, fetchRow, postJudgement } from "../api.ts";
import type { ExpressionDetail } from "../contract.ts";
import { list } from "./list.svelte.ts";
import { route } from "./route.svelte.ts";
import { settings } from "./settings.svelte.ts";
import { studio } from "./studio.svelte.ts";

/** The expression that is looked at, its candidates, and the band under the present settings. */
class SelectionState {
  row = $state<number>();
  detail = $state.raw<ExpressionDetail>();
  candidates = $state.raw<CandidateRow>();
  context = $state.raw<BandContext>();
  fault = $state<string>();
  /** Rank of the candidate that is looked at closely. */
  candidate = $state<number>();
  /** Rank under the pointer, shown on curve and strip at once. */
  hovered = $state<number>();
  judgementFault = $state<string>();
  #abort: AbortController | undefined;

  /** The hub cap's cuts, which the server works out when the settings rest; undefined without a cap. */
  hubs = $state.raw<HubCuts>();

  #banded = $derived.by((): { band?: Band; fault?: string } => {
    if (this.candidates === undefined || this.context === undefined || settings.resolved === undefined) return {};
    try {
      const context = this.hubs === undefined ? this.context : { ...this.context, hubs: this.hubs };
      return { band: bandOf(this.candidates, context, settings.resolved) };
    } catch (error) {
      return { fault: (error as Error).message };
    }
  });
  band = $derived(this.#banded.band);
  /** How much lower τ is for this expression than the setting: several targets and none tighten it. */
  tighten = $derived.by(() => {
    const { resolved } = settings;
    if (this.context === undefined || resolved === undefined || resolved.band.tau === null) return 0;
    return resolved.band.tau - thresholdsOf(this.context, resolved).tau;
  });
  /** Why there is no band: a rule asks for something that was not mined. */
  bandFault = $derived(this.#banded.fault);

  /** Opens the expression that the address names, else the first of the list. */
  async restore(): Promise<void> {
    if (route.expression === undefined) {
      await this.open(list.filtered.rows[0]);
      return;
    }
    try {
      await this.open(await fetchRow(route.expression));
    } catch (error) {
      this.fault = (error as Error).message;
    }
  }

  async open(row: number | undefined): Promise<void> {
    this.#abort?.abort();
    if (row === undefined) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.row = row;
    this.fault = undefined;
    this.candidate = undefined;
    this.hovered = undefined;
    this.judgementFault = undefined;
    const mined = studio.mined?.name;
    try {
      const [detail, answer] = await Promise.all([
        fetchExpression(row, abort.signal),
        mined === undefined ? undefined : fetchCandidates(row, mined, abort.signal),
      ]);
      if (abort.signal.aborted) return;
      if (route.expression !== detail.key) route.draw = 0;
      route.expression = detail.key;
      this.detail = detail;
      this.candidates = answer?.row;
      this.context = answer?.context;
    } catch (error) {
      if ((error as Error).name !== "AbortError") this.fault = (error as Error).message;
    }
  }

  /** The next or an earlier expression of the list. */
  step(by: number): void {
    const { rows } = list.filtered;
    const at = this.row === undefined ? -1 : rows.indexOf(this.row);
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by));
    if (rows[next] !== undefined && rows[next] !== this.row) void this.open(rows[next]);
  }

  isJudged(image: number): boolean {
    return this.context?.judged?.has(image) === true;
  }

  /** Brings the cuts of the hub cap, where the settings have one. */
  async followHubs(signal: AbortSignal): Promise<void> {
    const { current } = settings;
    if (current === undefined || current.band.hubCap === null) {
      this.hubs = undefined;
      return;
    }
    try {
      this.hubs = (await fetchHubs(current, signal)).hubs ?? undefined;
    } catch {
      // left behind by newer settings, or the server says why where the band is shown
    }
  }

  /** Marks an image as a false negative of this expression, or takes that back; the band follows at once. */
  async judge(image: number, isFalseNegative: boolean): Promise<void> {
    const { context, row } = this;
    if (context === undefined || row === undefined) return;
    this.judgementFault = undefined;
    const judged = new Set(context.judged);
    if (isFalseNegative) judged.add(image);
    else judged.delete(image);
    this.context = { ...context, judged };
    try {
      studio.judged = (
        await postJudgement({ expression: row, image, verdict: isFalseNegative ? "false-negative" : "negative" })
      ).judged;
    } catch (error) {
      if (this.row === row) this.context = context;
      this.judgementFault = (error as Error).message;
    }
  }
}

export const selection = new SelectionState();
