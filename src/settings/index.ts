/** The room `settings`: the schema of nemosaic.json, its presets, and the checks that one value cannot make. */
export { mostNegatives, settingsRemarks } from "./check-settings.ts";
export {
  parseSettings,
  resolveSettings,
  type ScoreSummary,
  settingsJsonSchema,
  settingsTree,
  withSets,
} from "./parse.ts";
export { defaults, presetNames, presets } from "./presets.ts";
export { drawsNegatives, interpolateRamp, plainEpochs, settingsAt, usesMined } from "./schedule.ts";
export type { PartialSettings, ResolvedSettings, Settings } from "./schema.ts";
export { negativeSources, settingsSchema } from "./schema.ts";
