import { unknownName } from "../model/index.ts";
import { crisLmdb } from "./cris-lmdb/index.ts";
import type { Exporter } from "./exporter.ts";
import { parquet } from "./parquet/index.ts";
import { refer } from "./refer/index.ts";
import { sa2va } from "./sa2va/index.ts";
import { sam3 } from "./sam3/index.ts";
import { seqtr } from "./seqtr/index.ts";
import { webdataset } from "./webdataset/index.ts";

/** Every format that samples can be exported to. */
export const exporters: readonly Exporter[] = [refer, crisLmdb, seqtr, sam3, sa2va, webdataset, parquet];

export const exporterNames: readonly string[] = exporters.map(({ name }) => name);

/** The exporter of that name. Errors: "usage" with the valid names and the nearest. */
export function findExporter(name: string): Exporter {
  const found = exporters.find((exporter) => exporter.name === name);
  if (found === undefined) throw unknownName("export format", name, exporterNames);
  return found;
}
