import type { Command } from "commander";
import { ambiguityMargins, subsetCommand as subset, truthsOfPool } from "../../evaluate/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { Mined, Pool } from "../../pool/index.ts";
import {
  action,
  choiceOption,
  integerOption,
  listOption,
  print,
  readSettings,
  type SharedOptions,
  withShared,
} from "../session.ts";

interface Options extends SharedOptions {
  readonly output?: string;
  readonly hard?: boolean;
  readonly easy?: boolean;
  readonly by: "similar" | "ambiguity";
  readonly atLeast: number;
  readonly share: number;
  readonly split?: string[];
  readonly source?: string[];
}

export function subsetCommand(program: Command): void {
  withShared(program.command("subset <pool>"), { seed: false })
    .description("list hard or easy expressions; evaluate takes the list with --only")
    .requiredOption("-o, --output <ids.json>", "where the list goes")
    .option("--hard", "pick hard ones (default)")
    .option("--easy", "pick easy ones")
    .option(
      "--by <rule>",
      "similar (objects of the target's category) or ambiguity (by the image-text model)",
      choiceOption("--by", ["similar", "ambiguity"]),
      "similar",
    )
    .option("--at-least <n>", "similar objects that make an expression hard", integerOption("--at-least", 1), 2)
    .option("--share <part>", "part of the expressions to pick by ambiguity", shareOption, 0.25)
    .option("--split <names>", "splits, comma-separated", listOption("--split"))
    .option("--source <names>", "sources, comma-separated", listOption("--source"))
    .addHelpText("after", "\nExample:\n  nemosaic subset pool --hard -o hard.json --split val")
    .action(
      action(async (folder: string, options: Options) => {
        if (options.hard && options.easy) fail("usage", "expected one of --hard and --easy, got both");
        const pool = await Pool.open(folder);
        try {
          const settings = await readSettings(options);
          const mined =
            options.by === "ambiguity" ? await Mined.open(folder, settings.mined, pool.manifest.hash) : undefined;
          if (options.by === "ambiguity" && mined === undefined)
            fail(
              "incomplete",
              `"${folder}" has no mined/${settings.mined}; run "nemosaic embed" and "nemosaic mine" first`,
            );
          try {
            const result = await subset({
              truths: truthsOfPool(pool, options.source),
              file: options.output ?? fail("usage", "expected -o FILE.json"),
              pick: options.easy ? "easy" : "hard",
              rule:
                options.by === "similar"
                  ? { by: "similar", atLeast: options.atLeast }
                  : { by: "ambiguity", share: options.share },
              force: options.force,
              ...(options.split === undefined ? {} : { splits: options.split }),
              ...(mined === undefined ? {} : { margins: ambiguityMargins(pool, mined) }),
            });
            print(options, result.json, result.text);
          } finally {
            await mined?.close();
          }
        } finally {
          await pool.close();
        }
      }),
    );
}

function shareOption(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1))
    fail("usage", `expected a share between 0 and 1 for --share, got ${quoteValue(text)}`);
  return value;
}
