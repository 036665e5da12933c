import type { Importer } from "../importer.ts";
import { openRefer, type ReferFamily, recogniseRefer } from "./refer-source.ts";
import { referNaming } from "./refs-file.ts";

const family: ReferFamily = {
  format: "refer",
  naming: referNaming,
  rules: { skipCrowds: false, allowEmpty: false },
};

/**
 * RefCOCO, RefCOCO+, RefCOCOg, RefCLEF, RRSIS-D, Ref-ZOM: refs(<splitBy>).p (a pickled list of refs) beside COCO's
 * instances.json. Every annotation is streamed, referred to or not.
 */
export const refer: Importer = {
  name: "refer",
  title: "REFER: RefCOCO, RefCOCO+, RefCOCOg, RefCLEF, RRSIS-D, Ref-ZOM",
  looksFor: "refs(*).p and instances.json",
  recognise: (path) => recogniseRefer(path, referNaming),
  open: (options) => openRefer(options, family),
};
