export type { ImageLanes } from "./image-lanes.ts";
export { type Dtype, dtypeNames } from "./model-files.ts";
export { type ImageTextModel, type OpenModelOptions, openImageTextModel } from "./open-model.ts";
export { preprocessImage, resizedSize } from "./preprocess.ts";
export { type Preprocessing, type PreprocessingFiles, parsePreprocessing } from "./preprocessing.ts";
export type { Device } from "./session.ts";
export type { PreprocessedBatch } from "./vision.ts";
export { workerEntry } from "./worker-entry.ts";
