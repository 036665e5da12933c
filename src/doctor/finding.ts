import { formatNumber } from "../io/index.ts";

/** error: the pool cannot be trusted as it is; warning: look at it before training; info: good to know. */
export type Severity = "error" | "warning" | "info";

export const severities: readonly Severity[] = ["error", "warning", "info"];

/** One kind of problem, however often it occurs. */
export interface Finding {
  readonly severity: Severity;
  /** A short fixed name, for programs: "image-missing". */
  readonly code: string;
  /** One line: what was found. */
  readonly message: string;
  /** What to do about it, in words. */
  readonly fix: string;
  /** How often. */
  readonly count: number;
  /** The first cases, for people. */
  readonly examples: readonly string[];
}

/** Examples kept of each finding. */
const keptExamples = 5;

/** Collects the cases of one kind of problem and turns them into a finding where there is at least one. */
export class Cases {
  readonly #kept: string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Counts a case; `describe` is called for the first few only. */
  add(describe: () => string, times = 1): void {
    this.#count += times;
    if (this.#kept.length < keptExamples) this.#kept.push(describe());
  }

  /** The finding, or none where no case came. `message` gets the count. */
  finding(severity: Severity, code: string, message: (count: number) => string, fix: string): Finding[] {
    if (this.#count === 0) return [];
    return [{ severity, code, message: message(this.#count), fix, count: this.#count, examples: [...this.#kept] }];
  }
}

/** "1 image", "3 images". */
export function plural(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}
