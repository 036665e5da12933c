import type { Importer } from "../importer.ts";
import { openRefer, type ReferFamily, recogniseRefer } from "../refer/refer-source.ts";
import { grefNaming } from "../refer/refs-file.ts";

const family: ReferFamily = {
  format: "grefcoco",
  naming: grefNaming,
  rules: { skipCrowds: true, allowEmpty: true },
};

/**
 * gRefCOCO (GRES): as REFER, with `ann_id` a list: several targets, or [-1] for none. What the field's loaders pass
 * over is passed over with a note: iscrowd targets, empty sentences.
 */
export const grefcoco: Importer = {
  name: "grefcoco",
  title: "gRefCOCO: multi-target and no-target expressions (GRES)",
  looksFor: "grefs(*).json and instances.json",
  recognise: (path) => recogniseRefer(path, grefNaming),
  open: (options) => openRefer(options, family),
};
