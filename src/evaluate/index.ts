export type { Preset, PresetChanges, PresetName, SentenceRule } from "./presets.ts";
export { evaluationPreset, evaluationPresetNames, evaluationPresets, withChanges } from "./presets.ts";
export type { Truth } from "./truth.ts";
