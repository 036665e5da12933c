import type { Command } from "commander";
import { formatCount, formatNumber } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { judge, judgeScores } from "../../steps/index.ts";
import { action, listenerOf, print, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly from?: string;
  readonly scores?: string;
  readonly mined: string;
}

export function judgeCommand(program: Command): void {
  withShared(program.command("judge <pool>"), { sampling: false, seed: false })
    .description("add verdicts or scores, by people or other models, on pairs of expression and image")
    .option("--from <file>", 'verdicts, JSON lines: {"expression", "image", "verdict": "false-negative" | "negative"}')
    .option("--scores <file>", 'scores for a mined set, JSON lines: {"expression", "image", "score"}, higher = truer')
    .option("--mined <name>", "the mined set that --scores belong to", "default")
    .addHelpText(
      "after",
      '\n"nemosaic pairs pool" lists the pairs worth judging.\n\nExamples:\n  nemosaic judge pool --from verdicts.jsonl\n  nemosaic judge pool --scores scores.jsonl\n  nemosaic stats pool --set band.judge=0.5',
    )
    .action(
      action(async (folder: string, options: Options) => {
        const { from, scores, mined, force } = options;
        if (from === undefined && scores === undefined)
          fail("usage", "expected --from FILE with verdicts or --scores FILE with scores, got neither");
        const listener = listenerOf(options);
        const verdicts = from === undefined ? undefined : await judge(folder, from, listener);
        const column = scores === undefined ? undefined : await judgeScores(folder, scores, { mined, force }, listener);
        const lines: string[] = [];
        if (verdicts !== undefined)
          lines.push(
            `judgements.jsonl: ${formatCount(verdicts.added, "verdict")} added, ${formatNumber(verdicts.known)} stood already`,
          );
        if (column !== undefined)
          lines.push(
            `mined/${column.mined}: scores for ${formatNumber(column.scored)} of ${formatCount(column.listed, "candidate")}${column.reused ? " (there already, nothing to do)" : ""}`,
          );
        print(options, { ...(verdicts && { verdicts }), ...(column && { scores: column }) }, lines.join("\n"));
      }),
    );
}
