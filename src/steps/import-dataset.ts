import { findImporter, type ImportOptions, recogniseImporter } from "../importers/index.ts";
import { type BadPolicy, type ImportReport, importPool } from "../pool/index.ts";
import { fullListener, type Listener } from "./listener.ts";

/** Which dataset to import, and what to do with records that make no sense. */
export interface ImportDatasetOptions
  extends Pick<ImportOptions, "source" | "images" | "dataset" | "splitBy" | "columns" | "name"> {
  /** An importer's name, or "auto" (default): the one that recognises the source. */
  readonly format?: string | undefined;
  /** A record that makes no sense ends the import ("fail", default), or is left out and counted. */
  readonly onBad?: BadPolicy | undefined;
  /** Copy the images into the pool. */
  readonly pack?: boolean | undefined;
  /** Links in the images folder may lead out of it, while importing and later. */
  readonly followLinks?: boolean | undefined;
  /** Leave training refs out whose image an evaluation split of any source in the pool holds. */
  readonly withoutLeaks?: boolean | undefined;
  /** Replace a source of the same name. */
  readonly force?: boolean | undefined;
}

/**
 * Imports a dataset into the pool at `folder`, new or existing. A killed run leaves the pool as it was. Errors: those of the
 * importer for what is missing or unknown ("usage", "not-found", "unsupported"), and of `importPool`.
 */
export async function importDataset(
  folder: string,
  options: ImportDatasetOptions,
  listener: Listener = {},
): Promise<ImportReport> {
  const { progress, onRemark, onWarning } = fullListener(listener);
  const {
    format = "auto",
    onBad = "fail",
    pack = false,
    followLinks,
    withoutLeaks,
    force = false,
    source,
    ...places
  } = options;
  const given: Omit<ImportOptions, "source"> = Object.fromEntries(
    Object.entries(places).filter(([, value]) => value !== undefined),
  );
  const open = async () => {
    if (format !== "auto") return findImporter(format).open({ source, ...given }, progress);
    const found = await recogniseImporter(source);
    onRemark(`recognised as ${found.importer.name}: ${found.how}`);
    return found.importer.open({ ...found.options, ...given }, progress);
  };
  const opened = await open();
  for (const warning of opened.warnings) onWarning(warning);
  return importPool(folder, opened, { onBad, pack, followLinks, withoutLeaks, force, progress });
}
