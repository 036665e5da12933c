import { display } from "./state/display.svelte.ts";
import { route } from "./state/route.svelte.ts";
import { selection } from "./state/selection.svelte.ts";

/** The keys that work everywhere; those of a widget (a slider, the strip) are the widget's own. */
export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    closeTop();
    return;
  }
  if (display.isHelpOpen || isTyping(event.target)) return;
  const action = actions[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
}

const actions: Readonly<Record<string, () => void>> = {
  "?": () => {
    display.isHelpOpen = true;
  },
  "/": () => {
    route.view = "explore";
    const search = document.getElementById("search");
    if (search !== null) search.focus();
    else requestAnimationFrame(() => document.getElementById("search")?.focus());
  },
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  m: () => {
    display.isMaskHidden = !display.isMaskHidden;
  },
  r: () => {
    route.draw++;
  },
  s: () => {
    display.isSettingsOpen = !display.isSettingsOpen;
  },
  "1": () => {
    route.view = "explore";
  },
  "2": () => {
    route.view = "overview";
  },
  "3": () => {
    route.view = "evaluate";
  },
};

function step(by: number): void {
  if (route.view === "explore") selection.step(by);
}

/** Closes what is on top: a dialog, the panel, the search; then the filters. */
function closeTop(): void {
  if (display.isHelpOpen) display.isHelpOpen = false;
  else if (display.isSettingsOpen) display.isSettingsOpen = false;
  else if (display.isFilterOpen) display.isFilterOpen = false;
  else if (document.activeElement instanceof HTMLInputElement && document.activeElement.id === "search") {
    if (route.query === "") document.activeElement.blur();
    else route.query = "";
  } else if (selection.candidate !== undefined) selection.candidate = undefined;
  else if (route.isFiltered) route.clearFilters();
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
