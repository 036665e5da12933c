import type { OrderName } from "../list/orders.ts";
import { orderNames } from "../list/orders.ts";
import { settings } from "./settings.svelte.ts";

export const views = ["explore", "overview", "evaluate"] as const;
export type View = (typeof views)[number];

const rangeText = /^(-?[\d.]+):(-?[\d.]+)$/;

/** Where the person is: all of it stands in the address, so that a link shows the same thing. */
class RouteState {
  view = $state<View>("explore");
  /** Key of the expression looked at. */
  expression = $state<string>();
  query = $state("");
  /** Facet name → value labels. */
  filters = $state.raw<Readonly<Record<string, readonly string[]>>>({});
  /** Scores with the own image, from a click on a histogram. */
  scoreRange = $state.raw<readonly [low: number, high: number]>();
  /** Only expressions about this image. */
  image = $state<number>();
  /** Only expressions about images that stand in so many bands of the overview's sample. */
  uses = $state.raw<readonly [from: number, to: number]>();
  order = $state<OrderName>("pool");
  descending = $state(false);
  /** Which draw of mosaics. */
  draw = $state(0);

  /** Reads the address; settings in it are returned, as they can be applied only once the base is known. */
  read(): string[] {
    const params = new URLSearchParams(location.search);
    const view = params.get("view");
    this.view = views.find((name) => name === view) ?? "explore";
    this.expression = params.get("e") ?? undefined;
    this.query = params.get("q") ?? "";
    const order = params.get("sort") ?? "";
    this.order = orderNames.find((name) => name === order.replace(/^-/, "")) ?? "pool";
    this.descending = order.startsWith("-");
    this.draw = Math.max(0, Math.min(4000, Math.floor(Number(params.get("draw") ?? 0)) || 0));
    const range = rangeText.exec(params.get("own") ?? "");
    this.scoreRange = range === null ? undefined : [Number(range[1]), Number(range[2])];
    const image = params.get("image");
    this.image = image !== null && /^\d+$/.test(image) ? Number(image) : undefined;
    const uses = rangeText.exec(params.get("uses") ?? "");
    this.uses = uses === null ? undefined : [Number(uses[1]), Number(uses[2])];
    const filters: Record<string, string[]> = {};
    for (const text of params.getAll("f")) {
      const at = text.indexOf(":");
      const [facet, label] = [text.slice(0, at), text.slice(at + 1)];
      if (at > 0) filters[facet] = [...(filters[facet] ?? []), label];
    }
    this.filters = filters;
    return params.getAll("set");
  }

  /** The address of the present state; an empty string for the plain page. */
  get address(): string {
    const params = new URLSearchParams();
    if (this.view !== "explore") params.set("view", this.view);
    if (this.query !== "") params.set("q", this.query);
    for (const [name, labels] of Object.entries(this.filters))
      for (const label of labels) params.append("f", `${name}:${label}`);
    if (this.scoreRange !== undefined) params.set("own", this.scoreRange.map((score) => score.toFixed(4)).join(":"));
    if (this.image !== undefined) params.set("image", String(this.image));
    if (this.uses !== undefined) params.set("uses", this.uses.join(":"));
    if (this.order !== "pool" || this.descending) params.set("sort", `${this.descending ? "-" : ""}${this.order}`);
    if (this.expression !== undefined) params.set("e", this.expression);
    if (this.draw > 0) params.set("draw", String(this.draw));
    for (const { key, value } of settings.changes) params.append("set", `${key}=${JSON.stringify(value)}`);
    return params.toString();
  }

  toggleFilter(facet: string, label: string): void {
    const chosen = this.filters[facet] ?? [];
    const next = chosen.includes(label) ? chosen.filter((other) => other !== label) : [...chosen, label];
    const { [facet]: _old, ...rest } = this.filters;
    this.filters = next.length === 0 ? rest : { ...rest, [facet]: next };
  }

  /** Shows the list with this facet value alone, as a click on a chart asks for. */
  showOnly(facet: string, label: string): void {
    this.clearFilters();
    this.filters = { [facet]: [label] };
    this.view = "explore";
  }

  clearFilters(): void {
    this.filters = {};
    this.query = "";
    this.scoreRange = undefined;
    this.image = undefined;
    this.uses = undefined;
  }

  /** Filters in use, each value counted; the search is seen as it is. */
  get filterCount(): number {
    const ranges = [this.scoreRange, this.image, this.uses].filter((one) => one !== undefined).length;
    return ranges + Object.values(this.filters).reduce((sum, labels) => sum + labels.length, 0);
  }

  get isFiltered(): boolean {
    return (
      this.query !== "" ||
      Object.keys(this.filters).length > 0 ||
      this.scoreRange !== undefined ||
      this.image !== undefined ||
      this.uses !== undefined
    );
  }
}

export const route = new RouteState();
