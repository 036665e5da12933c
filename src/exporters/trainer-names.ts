import { defaultFormatOptions, type FormatOptions } from "./job.ts";

const known = ["refcoco", "refcoco+", "refcocog", "grefcoco", "refclef", "rrsisd", "uavid_ris", "vdd_ris"];

/**
 * The names under which a trainer looks for an export: those `given`, else those of the pool's `source` where they are
 * ones that trainers know, else RefCOCO's. CRIS and its kin have RefCOCOg twice, and know neither under its own name.
 */
export function trainerNames(
  format: string,
  source: { readonly name: string; readonly splitBy?: string | undefined } | undefined,
  given: { readonly dataset?: string; readonly splitBy?: string },
): Pick<FormatOptions, "dataset" | "splitBy"> {
  const own = known.find((name) => source?.name === name || source?.name.startsWith(`${name}-`) === true);
  const dataset = given.dataset ?? own ?? defaultFormatOptions.dataset;
  const custom = dataset === "refcocog" ? "umd" : defaultFormatOptions.splitBy;
  const splitBy = given.splitBy ?? (dataset === own ? source?.splitBy : undefined) ?? custom;
  if (format === "cris-lmdb" && dataset === "refcocog")
    return { dataset: splitBy === "google" ? "refcocog_g" : "refcocog_u", splitBy };
  return { dataset, splitBy };
}
