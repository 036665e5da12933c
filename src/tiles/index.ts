/** The room `tiles`: cells of mosaics, decoded when asked for, or once and for all into files of one size. */
export { buildTilesShard, type TilesShardReport } from "./build-shard.ts";
export {
  type BuildTilesOptions,
  buildTiles,
  type TileDemand,
  type TilesPlan,
  type TilesReport,
  tilesPlanText,
} from "./build-tiles.ts";
export {
  type CellRequest,
  type CellSource,
  decodePoolImage,
  decodingCells,
} from "./cell-source.ts";
export { type MergeTilesOptions, mergeTiles } from "./merge-tiles.ts";
export { planTiles } from "./plan-tiles.ts";
export { TileFile, type TileShape, tileBytes, tilesFolder } from "./tile-file.ts";
export { type TileKeeping, type TileMode, TileStore } from "./tile-store.ts";
export { type Resizer, tiledCells } from "./tiled-cells.ts";
