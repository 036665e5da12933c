import type { Command } from "commander";
import { formatCount, formatNumber } from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { defaultSceneSettings, sceneOptionsHelp, type WriteScenesOptions, writeScenes } from "../../scenes/index.ts";
import { action, integerOption, print, progressOf, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly count: number;
  readonly hardShare: number;
  readonly twinShare: number;
  readonly objects?: [number, number];
  readonly splits?: Record<string, number>;
  readonly multiTarget: number;
  readonly withoutTarget: number;
  readonly quality: number;
  readonly workers?: number;
}

export function scenesCommand(program: Command): void {
  withShared(program.command("scenes <folder>"), { sampling: false })
    .description("draw a referring dataset: 3-D objects, exact masks, expressions whose truth is known")
    .option("--count <n>", sceneOptionsHelp.count, integerOption("--count", 1), defaultSceneSettings.count)
    .option(
      "--hard-share <part>",
      sceneOptionsHelp.hardShare,
      numberOption("--hard-share"),
      defaultSceneSettings.hardShare,
    )
    .option(
      "--twin-share <part>",
      sceneOptionsHelp.twinShare,
      numberOption("--twin-share"),
      defaultSceneSettings.twinShare,
    )
    .option("--objects <from-to>", sceneOptionsHelp.objects, objectsOption)
    .option("--splits <name=share,…>", sceneOptionsHelp.splits, splitsOption)
    .option(
      "--multi-target <part>",
      sceneOptionsHelp.multiTarget,
      numberOption("--multi-target"),
      defaultSceneSettings.multiTarget,
    )
    .option(
      "--without-target <part>",
      sceneOptionsHelp.noTarget,
      numberOption("--without-target"),
      defaultSceneSettings.noTarget,
    )
    .option("--quality <n>", sceneOptionsHelp.quality, integerOption("--quality", 1), defaultSceneSettings.quality)
    .option("--workers <n>", sceneOptionsHelp.workers, integerOption("--workers", 0))
    .addHelpText(
      "after",
      "\nExample:\n  nemosaic scenes scenes --count 60 --seed 0\n  nemosaic import refer scenes/refer/scenes --images scenes/images --pool pool",
    )
    .action(
      action(async (folder: string, options: Options) => {
        const { isReused: reused, manifest } = await writeScenes(folder, sceneOptions(options), progressOf(options));
        const { counts } = manifest;
        print(
          options,
          { reused, manifest },
          `${folder}: ${formatCount(manifest.settings.count, "scene")}${reused ? " (there already, nothing to do)" : ""}\n${countLines(counts)}`,
        );
      }),
    );
}

function sceneOptions(options: Options): WriteScenesOptions {
  const { count, seed, hardShare, twinShare, objects, splits, multiTarget, withoutTarget, quality, workers, force } =
    options;
  return {
    count,
    seed,
    hardShare,
    twinShare,
    multiTarget,
    noTarget: withoutTarget,
    quality,
    force,
    ...(objects === undefined ? {} : { objects }),
    ...(splits === undefined ? {} : { splits }),
    ...(workers === undefined ? {} : { workers }),
  };
}

function countLines(counts: object): string {
  return Object.entries(counts)
    .map(([name, value]) => `  ${name}: ${typeof value === "number" ? formatNumber(value) : JSON.stringify(value)}`)
    .join("\n");
}

function numberOption(name: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value))
      fail("usage", `expected a number for ${name}, got ${quoteValue(text)}`);
    return value;
  };
}

/** "2-9" or "4". */
function objectsOption(text: string): [number, number] {
  const [, from, to = from] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text.trim()) ?? [];
  if (from === undefined) fail("usage", `expected --objects as from-to, such as 2-9 or 4, got ${quoteValue(text)}`);
  return [Number(from), Number(to)];
}

function splitsOption(text: string): Record<string, number> {
  const entries = text.split(",").map((part): [string, number] => {
    const [name = "", share = ""] = part.split("=");
    const value = Number(share);
    if (name.trim() === "" || share.trim() === "" || !Number.isFinite(value))
      fail("usage", `expected --splits name=share,…, got ${quoteValue(text)}`);
    return [name.trim(), value];
  });
  return Object.fromEntries(entries);
}
