// How large the experiment is, and its arms.

const full = {
  scenes: { base: 3000, train: 700, test: 600, lone: 700 },
  backboneSteps: 1000,
  steps: 1000,
  batchSize: 32,
  size: 192,
  width: 128,
  learningRate: 2e-3,
  depth: 512,
  saveEvery: 100,
  expressions: 2000,
  bootstrap: 1000,
  model: "scene-clip",
};

/**
 * Sizes: scenes to pretrain the tower on (base), to train on and to test on, by seeds of their own; steps; pixels. `model` is what
 * mines, `expressions` how many are asked in counting false negatives.
 */
export const profiles = {
  full,
  /** Small pictures: less than half the time of a run. */
  small: { ...full, size: 128 },
  /** For one GPU in ten minutes: a tower twice as wide, at the size that published models train at. */
  gpu: { ...full, backboneSteps: 600, steps: 500, batchSize: 64, size: 416, width: 256 },
  smoke: {
    scenes: { base: 24, train: 60, test: 20, lone: 60 },
    backboneSteps: 6,
    steps: 6,
    batchSize: 4,
    size: 64,
    width: 32,
    learningRate: 2e-3,
    depth: 40,
    saveEvery: 3,
    expressions: 60,
    bootstrap: 100,
    model: "lexical",
  },
};

/** The pictures' seeds. The test scenes are drawn by none of the others. */
export const sceneSeeds = { base: 903, train: 901, test: 902, lone: 901 };

/** Shares of the splits: test scenes are tested on only. */
export const sceneSplits = { base: "train=1", train: "train=1", test: "val=1", lone: "train=1" };

/** What is drawn of the scenes to train on that hold no object like the target. */
export const loneOptions = ["--hard-share", "0"];

/** The arms that every run of the experiment has. `augment` is train.py's, `settings` goes over its preset. */
export const coreArms = [
  { name: "none", title: "none", augment: "none", settings: {} },
  { name: "random", title: "random mosaic", augment: "random", settings: {} },
  { name: "reference", title: "reference's rule", augment: "reference", settings: {} },
  { name: "nemo", title: "NeMo (ours)", augment: "nemo", settings: {} },
];

/** The rivals of the paper's comparison. */
export const rivalArms = [
  { name: "yolov4", title: "YOLOv4 mosaic", augment: "yolov4", settings: {} },
  { name: "cutmix", title: "CutMix", augment: "cutmix", settings: {} },
  { name: "mixgen", title: "MixGen", augment: "mixgen", settings: {} },
];

/**
 * The arms of the proof: each with single images in the last third, but for `none` and `nemo` to the end. `over` names the arms that it is
 * compared with, beside `none`: the same style with random negatives, and CutMix. Mined ones have the preset's own difficulty.
 */
export function proofArms(epochs) {
  const schedule = { epochs: Math.max(2, Math.round(epochs)), plainLast: 1 / 3 };
  const arm = (name, title, augment, over = []) => ({
    name,
    title,
    augment,
    settings: { schedule },
    over,
    needsMined: !/random$|^cutmix$/.test(augment),
  });
  return [
    coreArms[0],
    arm("p-cutmix", "CutMix", "cutmix"),
    arm("p-full-random", "full size, random", "full-size-random", ["p-cutmix"]),
    arm("p-full", "full size, mined", "full-size", ["p-cutmix", "p-full-random"]),
    arm("p-paste-random", "paste, random", "paste-random", ["p-cutmix"]),
    arm("p-paste", "paste, mined", "paste", ["p-cutmix", "p-paste-random"]),
    arm("p-cutmix-mined", "CutMix, mined", "cutmix-mined", ["p-cutmix"]),
    arm("p-random", "random mosaic", "random"),
    arm("p-reference", "reference's rule", "reference"),
    arm("p-nemo", "NeMo, last third single images", "nemo", ["p-random"]),
    { ...coreArms[3], name: "p-nemo-to-end", title: "NeMo, to the end", over: ["p-random"], needsMined: true },
  ];
}

/** What parts of our arm do. `epochs`: how many the training has. */
export function ablationArms(epochs) {
  const nemo = (name, title, settings) => ({ name, title: `NeMo, ${title}`, augment: "nemo", settings });
  const plainLast = Math.max(1, Math.round(epochs / 3));
  const schedule = { epochs: Math.max(2, Math.ceil(epochs)), plainLast };
  const last = (name, title) => ({
    name: `${name}-plain-last`,
    title: `${title}, last third single images`,
    augment: name,
    settings: { schedule },
  });
  return [
    nemo("plain-last", "last third single images", { schedule }),
    last("random", "random mosaic"),
    last("reference", "reference's rule"),
    nemo("gamma-25", "γ = 0.25", { mosaic: { gamma: 0.25 } }),
    nemo("uniform", "uniform placement", { mosaic: { placement: "uniform" } }),
    nemo("position-free", "only where no place is named", { mosaic: { placement: "position-free" } }),
    {
      name: "random-placed",
      title: "random mosaic, placement by words",
      augment: "random",
      settings: { mosaic: { placement: "position-aware" } },
    },
  ];
}

/** What `nemo` has for K, and for τ (auto) the share of own images that score less. */
export const nemoDefaults = { k: 30, tauShare: 0.25 };

/** NeMo at other K and τ. `taus`: [{share, tau}], scores by the share of own images that lie below, as counted beforehand. */
export function sweepArms(taus) {
  const ks = [10, 100, 300].map((k) => ({
    name: `k-${k}`,
    title: `NeMo, K = ${k}`,
    augment: "nemo",
    settings: { band: { k } },
    sweep: { of: "K", value: k },
  }));
  const levels = taus
    .filter(({ share }) => [0.05, 0.5, 0.75, 1].includes(share))
    .map(({ share, tau }) => ({
      name: `tau-${Math.round(100 * share)}`,
      title: `NeMo, τ at ${Math.round(100 * share)} % of own images`,
      augment: "nemo",
      settings: { band: { tau } },
      sweep: { of: "τ", value: share },
    }));
  return [...ks, ...levels];
}
