/** The released loader's options (docs/reference-loader.md) and the settings that stand for them: what its users type. */
export const releasedNames: Readonly<Record<string, string>> = {
  num_bgs: "mosaic.grid",
  aug_prob: "mosaic.gamma",
  retrieval_epoch: "schedule.randomUntil",
  rand_prob: "mosaic.randomShare",
  retr_prob: "mosaic.gamma",
  mix_grid: "mosaic.grid",
  t2i_only: "band.tauImage",
  t2i_sim_thres: "band.tau",
  i2i_sim_thres: "band.tauImage",
  top_k: "band.k",
  fp_restrict: "mosaic.placement",
  blur: "mosaic.blur",
  move_crs_pnt: "mosaic.crossPoint",
  rand_crs: "mosaic.crossPoint",
};
