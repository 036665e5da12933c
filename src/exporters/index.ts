/** The room `exporters`: samples to the formats that trainers read. */

export type { EncodedSample } from "./encoded-sample.ts";
export { type ExportOptions, type ExportReport, exportPool, mergeExport } from "./export-pool.ts";
export type { EncodedImage, Exporter, ExportSample, ExportSentence } from "./exporter.ts";
export {
  defaultEncoding,
  defaultFormatOptions,
  type ExportJob,
  type FormatOptions,
  type ImageEncoding,
} from "./job.ts";
export { type ExportManifest, readExportManifest } from "./manifest.ts";
export { exporterNames, exporters, findExporter } from "./registry.ts";
export { trainerNames } from "./trainer-names.ts";
