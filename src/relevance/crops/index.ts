export { type Crops, type CropTable, cropsText, cropTable, parseCrops } from "./crops.ts";
