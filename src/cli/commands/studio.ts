import type { Command } from "commander";
import { exists } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { Pool } from "../../pool/index.ts";
import { startStudio } from "../../studio/index.ts";
import { action, integerOption, readSettings, remark, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly port: number;
  readonly evaluation?: string;
  readonly samples?: string;
}

export function studioCommand(program: Command): void {
  withShared(program.command("studio <pool>"), { force: false })
    .description(
      "open a page on this machine to see what was mined for each expression, and to tune it (docs/studio.md)",
    )
    .option("--port <n>", "port of 127.0.0.1 to listen on; 0 = any free one", integerOption("--port", 0), 4747)
    .option("--evaluation <file>", "show this result of nemosaic evaluate --json")
    .option("--samples <file>", "with its worst cases, from nemosaic evaluate --samples")
    .addHelpText(
      "after",
      "\nExamples:\n  nemosaic studio demo-out/pool\n  nemosaic studio pool --port 8080 --evaluation result.json --samples samples.jsonl",
    )
    .action(
      action(async (folder: string, options: Options) => {
        const { port, evaluation, samples, seed } = options;
        for (const file of [evaluation, samples])
          if (file !== undefined && !(await exists(file))) fail("not-found", `expected a file at "${file}"`);
        const settings = await readSettings(options);
        const settingsPath = options.settings ?? "nemosaic.json";
        const pool = await Pool.open(folder);
        try {
          const files = {
            ...(evaluation === undefined ? {} : { evaluation }),
            ...(samples === undefined ? {} : { samples }),
          };
          const words = { preset: options.preset, set: options.set };
          const studio = await startStudio({ pool, settingsPath, ...words, port, seed, ...files });
          const stopped = untilStopped();
          process.stdout.write(
            options.json ? `${JSON.stringify({ url: studio.url, pid: process.pid })}\n` : `${studio.url}\n`,
          );
          if (studio.mined === undefined)
            remark(options, 'no mined candidates yet: run "nemosaic embed" and "nemosaic mine" to see bands');
          else if (studio.mined !== settings.mined)
            remark(options, `"${settings.mined}" is not mined; showing "${studio.mined}"`);
          remark(options, "Ctrl-C ends it");
          await stopped;
          await studio.close();
        } finally {
          await pool.close();
        }
      }),
    );
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}
