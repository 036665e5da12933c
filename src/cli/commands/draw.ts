import { join } from "node:path";
import type { Command } from "commander";
import { encodePng, readJsonLines } from "../../codecs/index.ts";
import { formatCount, writeFileOnce } from "../../io/index.ts";
import { Loader, parsePlan } from "../../loader/index.ts";
import { fail } from "../../model/index.ts";
import { parseSettings } from "../../settings/index.ts";
import { action, print, progressOf, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly output?: string;
}

export function drawCommand(program: Command): void {
  withShared(program.command("draw <pool> <plans>"), { sampling: false, seed: false })
    .description("draw plans (JSON lines) to <index>.png, <index>.mask.png (0/255) and <index>.json")
    .requiredOption("-o, --output <folder>", "where the pictures go")
    .addHelpText(
      "after",
      "\nExample:\n  nemosaic plan pool --to 8 > plans.jsonl\n  nemosaic draw pool plans.jsonl -o drawn",
    )
    .action(
      action(async (pool: string, plans: string, options: Options) => {
        const output = options.output ?? fail("usage", "expected -o FOLDER");
        // Plans hold every decision: drawing needs no settings and no mined candidates.
        const loader = await Loader.open(pool, parseSettings({ preset: "none" }, "draw"), {
          split: await anySplit(pool),
        });
        const task = progressOf(options).begin("draw", undefined, "plans");
        const names = new Set<string>();
        try {
          for await (const { value, line } of readJsonLines(plans)) {
            const plan = parsePlan(value, `line ${line} of "${plans}"`);
            const name = names.has(String(plan.index)) ? `${plan.epoch}-${plan.index}` : String(plan.index);
            if (names.has(name))
              fail("bad-input", `line ${line} of "${plans}" repeats epoch ${plan.epoch}, index ${plan.index}`);
            names.add(name);
            const { image, mask } = await loader.draw(plan);
            const { size } = plan;
            const visible = mask.map((value) => value * 255);
            const files = {
              png: await encodePng({ width: size, height: size, channels: 3, data: image }),
              "mask.png": await encodePng({ width: size, height: size, channels: 1, data: visible }),
              json: `${JSON.stringify(plan, undefined, 2)}\n`,
            };
            for (const [ending, bytes] of Object.entries(files))
              await writeFileOnce(join(output, `${name}.${ending}`), bytes, { what: "drawing", force: options.force });
            task.advance();
          }
        } finally {
          task.end();
          await loader.close();
        }
        print(
          options,
          { drawn: names.size, folder: output },
          `drew ${formatCount(names.size, "plan")} into "${output}"`,
        );
      }),
    );
}

async function anySplit(folder: string): Promise<string> {
  const { Pool } = await import("../../pool/index.ts");
  const pool = await Pool.open(folder);
  await pool.close();
  return pool.refs.split[0] ?? "train";
}
