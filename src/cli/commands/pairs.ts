import type { Command } from "commander";
import { worthJudging } from "../../analysis/index.ts";
import { Loader } from "../../loader/index.ts";
import { fail } from "../../model/index.ts";
import { chooseMined, readVerdicts } from "../../pool/index.ts";
import { mostNegatives } from "../../settings/index.ts";
import { action, integerOption, readSettings, remark, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly split: string;
  readonly most: number;
}

export function pairsCommand(program: Command): void {
  withShared(program.command("pairs <pool>"), { force: false })
    .description("list the pairs most worth judging, as JSON lines: in the band, most drawn first, not judged yet")
    .option("--split <name>", "whose expressions", "train")
    .option("--most <n>", "pairs to list", integerOption("--most", 1), 1000)
    .addHelpText(
      "after",
      '\nExample:\n  nemosaic pairs pool --most 500 > pairs.jsonl     # judge them, add "verdict" to each line, then\n  nemosaic judge pool --from pairs.jsonl',
    )
    .action(
      action(async (folder: string, options: Options) => {
        const asked = await readSettings(options);
        const settings = { ...asked, mined: await chooseMined(folder, asked.mined) };
        const loader = await Loader.open(folder, settings, { split: options.split, seed: options.seed });
        try {
          const { mined, pool, facts } = loader;
          if (mined === undefined)
            fail(
              "incomplete",
              `"${folder}" has no mined/${settings.mined}; run "nemosaic embed" and "nemosaic mine" first`,
            );
          const verdicts = await readVerdicts(folder);
          const hash = (image: number): string => pool.images.hash[image] ?? "";
          const bands = {
            rows: expressionsOf(loader),
            need: mostNegatives(settings),
            contextOf: facts.bandContext,
          };
          const found = worthJudging(pool, mined, loader.settings, bands, {
            unit: facts.unit,
            most: options.most,
            isJudged: (expression, image) => verdicts.get(pool.expressionKey(expression))?.has(hash(image)) === true,
          });
          if (found.length === 0)
            remark(options, "no pair is left to judge: the bands are empty under these settings, or all is judged");
          for (const { expression, image, draws, ...scores } of found) {
            const line = {
              expression: pool.expressionKey(expression),
              image: hash(image),
              text: pool.expressions.sent[expression],
              name: pool.imageName(image),
              file: (await pool.imagePath(image).catch(() => undefined)) ?? null,
              draws: Number(draws.toPrecision(4)),
              ...scores,
            };
            process.stdout.write(`${JSON.stringify(line)}\n`);
          }
        } finally {
          await loader.close();
        }
      }),
    );
}

/** Every sentence of the split's units: refs, or expressions. */
function expressionsOf({ facts, pool }: Loader): Int32Array {
  if (facts.unit === "expression") return facts.units;
  return Int32Array.from(
    [...facts.units].flatMap((ref) => {
      const [start, end] = pool.expressionsOfRef(ref);
      return Array.from({ length: end - start }, (_, at) => start + at);
    }),
  );
}
