#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { version } from "../io/index.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { drawCommand } from "./commands/draw.ts";
import { embedCommand } from "./commands/embed.ts";
import { evaluateCommand } from "./commands/evaluate.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { importListsCommand } from "./commands/import-lists.ts";
import { importVectorsCommand } from "./commands/import-vectors.ts";
import { keysCommand } from "./commands/keys.ts";
import { mergeCommand } from "./commands/merge.ts";
import { mineCommand } from "./commands/mine.ts";
import { planCommand } from "./commands/plan.ts";
import { previewCommand } from "./commands/preview.ts";
import { relocateCommand } from "./commands/relocate.ts";
import { scenesCommand } from "./commands/scenes.ts";
import { serveCommand } from "./commands/serve.ts";
import { statsCommand } from "./commands/stats.ts";
import { studioCommand } from "./commands/studio.ts";
import { subsetCommand } from "./commands/subset.ts";
import { tilesCommand } from "./commands/tiles.ts";
import { tuneCommand } from "./commands/tune.ts";
import { report } from "./session.ts";

const program = new Command("nemosaic")
  .description("Hard-negative mosaics for referring image segmentation: import → embed → mine → look → train.")
  .version(version)
  .showHelpAfterError("(add --help for the options and an example)")
  .showSuggestionAfterError(true);

const commands = [
  demoCommand,
  scenesCommand,
  importCommand,
  relocateCommand,
  embedCommand,
  importListsCommand,
  importVectorsCommand,
  keysCommand,
  mineCommand,
  mergeCommand,
  tilesCommand,
  statsCommand,
  tuneCommand,
  evaluateCommand,
  subsetCommand,
  studioCommand,
  previewCommand,
  planCommand,
  drawCommand,
  serveCommand,
  exportCommand,
  doctorCommand,
];
for (const add of commands) add(program);

// A reader that has seen enough (… | head) ends the command quietly, help too.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 7));

// Node ends so where something is awaited that can never come, and says nothing.
process.on("exit", (code) => {
  if (code !== 13) return;
  report(new Error("the command ended in the midst of its work: a thread of it has gone"), false);
});

program.exitOverride();
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else report(error, process.argv.includes("--debug"));
}
