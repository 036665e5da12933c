#!/usr/bin/env node
import { Command, CommanderError, Help } from "commander";
import { version } from "../io/index.ts";
import { report } from "./session.ts";

const program = new Command("nemosaic")
  .description("Hard-negative mosaics for referring image segmentation: import → embed → mine → look → train.")
  .version(version)
  .showHelpAfterError("(add --help for the options and an example)")
  .showSuggestionAfterError(true)
  .configureHelp({
    // What is off or empty unless asked for need not be said.
    optionDescription: (option) => {
      const { defaultValue } = option;
      const isBlank = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0);
      return isBlank ? option.description : new Help().optionDescription(option);
    },
  });

/** Adds a command to the program. */
type AddCommand = (program: Command) => void;

/** Every command by its name, in the order of the help. The one that is asked for is loaded alone: it starts in half the time. */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  demo: async () => (await import("./commands/demo.ts")).demoCommand,
  scenes: async () => (await import("./commands/scenes.ts")).scenesCommand,
  import: async () => (await import("./commands/import.ts")).importCommand,
  relocate: async () => (await import("./commands/relocate.ts")).relocateCommand,
  embed: async () => (await import("./commands/embed.ts")).embedCommand,
  "import-lists": async () => (await import("./commands/import-lists.ts")).importListsCommand,
  "import-vectors": async () => (await import("./commands/import-vectors.ts")).importVectorsCommand,
  keys: async () => (await import("./commands/keys.ts")).keysCommand,
  judge: async () => (await import("./commands/judge.ts")).judgeCommand,
  pairs: async () => (await import("./commands/pairs.ts")).pairsCommand,
  mine: async () => (await import("./commands/mine.ts")).mineCommand,
  merge: async () => (await import("./commands/merge.ts")).mergeCommand,
  tiles: async () => (await import("./commands/tiles.ts")).tilesCommand,
  stats: async () => (await import("./commands/stats.ts")).statsCommand,
  tune: async () => (await import("./commands/tune.ts")).tuneCommand,
  evaluate: async () => (await import("./commands/evaluate.ts")).evaluateCommand,
  subset: async () => (await import("./commands/subset.ts")).subsetCommand,
  studio: async () => (await import("./commands/studio.ts")).studioCommand,
  preview: async () => (await import("./commands/preview.ts")).previewCommand,
  plan: async () => (await import("./commands/plan.ts")).planCommand,
  draw: async () => (await import("./commands/draw.ts")).drawCommand,
  serve: async () => (await import("./commands/serve.ts")).serveCommand,
  export: async () => (await import("./commands/export.ts")).exportCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
};

// A reader that has seen enough (… | head) ends the command quietly, help too.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 7));

// Node ends so where something is awaited that can never come, and says nothing.
process.on("exit", (code) => {
  if (code !== 13) return;
  report(new Error("the command ended before its work was done: one of its threads has died"), false);
});

const name = process.argv[2] ?? "";
const asked = Object.hasOwn(commands, name) ? commands[name] : undefined;
const loaders = asked === undefined ? Object.values(commands) : [asked];
for (const add of await Promise.all(loaders.map((load) => load()))) add(program);

program.exitOverride();
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else report(error, process.argv.includes("--debug"));
}
