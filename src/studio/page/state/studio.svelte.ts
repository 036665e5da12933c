import { fetchInfo, fetchList, fetchMined } from "../api.ts";
import type { ListColumns, MinedInfo, StudioInfo } from "../contract.ts";
import type { TextFeatures } from "../list/list-facets.ts";
import { settings } from "./settings.svelte.ts";

/** What the page knows of the pool: loaded once, in the order in which a person needs it. */
class StudioState {
  info = $state.raw<StudioInfo>();
  columns = $state.raw<ListColumns>();
  texts = $state.raw<readonly string[]>([]);
  lowerTexts = $state.raw<readonly string[]>([]);
  features = $state.raw<TextFeatures>();
  mined = $state.raw<MinedInfo>();
  /** Why the mined set cannot be shown. */
  minedFault = $state<string>();
  fault = $state<string>();
  judged = $state(0);

  async load(): Promise<void> {
    this.fault = undefined;
    try {
      const [info, columns] = await Promise.all([fetchInfo(), fetchList()]);
      settings.load(info.settings, isBegunHere(info.token));
      this.judged = info.judged;
      this.info = info;
      const texts = new TextDecoder().decode(columns.texts);
      this.texts = texts.split("\n");
      this.lowerTexts = texts.toLowerCase().split("\n");
      this.columns = columns;
      await this.loadMined();
      this.#readFeatures(columns);
    } catch (error) {
      this.fault = (error as Error).message;
    }
  }

  /** Loads the mined set that the settings name. */
  async loadMined(): Promise<void> {
    const name = settings.current?.mined;
    if (name === undefined || this.mined?.name === name) return;
    this.minedFault = undefined;
    this.mined = undefined;
    if (!(this.info?.mined ?? []).includes(name)) return;
    try {
      const mined = await fetchMined(name);
      settings.scores = mined.scores;
      this.mined = mined;
    } catch (error) {
      this.minedFault = (error as Error).message;
    }
  }

  #readFeatures(columns: ListColumns): void {
    const worker = new Worker(new URL("../list/features-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<TextFeatures>) => {
      this.features = data;
      worker.terminate();
    };
    worker.postMessage(columns.texts);
  }
}

export const studio = new StudioState();

/** Whether this tab has begun with this start of the studio: its unsaved settings then stand in the address. */
function isBegunHere(token: string): boolean {
  try {
    if (sessionStorage.getItem("nemosaic-start") === token) return true;
    sessionStorage.setItem("nemosaic-start", token);
  } catch {
    // a browser that keeps nothing begins anew each time
  }
  return false;
}
