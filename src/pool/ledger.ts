import { fail } from "../model/index.ts";

/** What happens to a record that cannot be understood: stop the import, or leave it out and count it. */
export type BadPolicy = "fail" | "skip";

/** Counts what is left out and applies the policy. */
export class Ledger {
  readonly skipped: Record<string, number> = {};
  readonly notes: Record<string, number> = {};
  readonly examples: string[] = [];
  readonly skippedExamples: Record<string, string[]> = {};
  readonly #onBad: BadPolicy;

  constructor(onBad: BadPolicy) {
    this.#onBad = onBad;
  }

  bad(reason: string, message: string): void {
    if (this.#onBad === "fail")
      fail(
        "bad-input",
        `${message}${/[.?!]$/.test(message) ? "" : "."} Use --on-bad skip to leave such records out, counted`,
      );
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
    if (this.examples.length < 20) this.examples.push(message);
    this.skippedExamples[reason] ??= [];
    const own = this.skippedExamples[reason];
    if (own.length < 5) own.push(message);
  }

  /** Something that follows from an earlier bad record, or is left out on purpose. */
  note(reason: string): void {
    this.notes[reason] = (this.notes[reason] ?? 0) + 1;
  }
}
