// The plots of docs/evidence/tables.md.
import { charts, palette } from "./chart.mjs";
import { frontOf } from "./false-negatives.mjs";
import { nemoDefaults } from "./profiles.mjs";

const similarLabels = ["0", "1", "2", "3+"];

/** Gain over `none` by the number of similar objects, all seeds together. */
export function gainChart({ arms, gains }) {
  const panel = (metric, title) => ({
    title,
    x: {
      label: "other objects of the target's class in the picture",
      ticks: similarLabels.map((label, at) => [at, label]),
    },
    y: { label: `gain in ${metric}, points` },
    series: arms
      .filter(({ name, sweep }) => name !== "none" && sweep === undefined)
      .map(({ name, title: text }, at, all) => ({
        name: text,
        colour: palette[at % palette.length],
        points: similarLabels.flatMap((label, bin) => {
          const found = gains
            .find(({ arm }) => arm === name)
            ?.together.sets.find((set) => set.by === "similar" && set.label === label);
          if (found === undefined) return [];
          const [y, low, high] = found.gains[metric];
          // Beside each other, so that intervals can be told apart.
          return [{ x: bin + (at - (all.length - 1) / 2) * 0.06, y, low: low ?? undefined, high: high ?? undefined }];
        }),
      })),
  });
  return charts("Gain over training without mosaics", [panel("oIoU", "oIoU"), panel("mIoU", "mIoU")]);
}

/**
 * Gain over `none` at other K and τ, with the seeds that all of them have: together where these are all of the default's, else of the
 * first. Undefined where no such arm was trained.
 */
export function sweepChart({ arms, gains }) {
  const default_ = gains.find(({ arm }) => arm === "nemo");
  const foundOf = (name) => gains.find(({ arm }) => arm === name);
  const panels = [
    { of: "K", label: "K", isLog: true, own: nemoDefaults.k },
    { of: "τ", label: "τ, as the share of own images that score less", isLog: false, own: nemoDefaults.tauShare },
  ].flatMap(({ of, label, isLog, own }) => {
    const swept = arms
      .filter(({ name, sweep }) => sweep?.of === of && foundOf(name) !== undefined)
      .map(({ name, sweep }) => ({ x: sweep.value, found: foundOf(name) }));
    if (swept.length === 0) return [];
    if (default_ !== undefined) swept.push({ x: own, found: default_ });
    swept.sort((a, b) => a.x - b.x);
    const seeds = sharedSeeds(swept.map(({ found }) => found));
    if (seeds.length === 0) return [];
    const all = swept.every(({ found }) => found.bySeed.length === seeds.length);
    const gainsOf = ({ together, bySeed }) => (all ? together : bySeed.find(({ seed }) => seed === seeds[0])).gains;
    return [
      {
        title: `over ${of}, ${all && seeds.length > 1 ? `${seeds.length} seeds` : `seed ${seeds[0]}`}`,
        x: { label, isLog },
        y: { label: "gain, points" },
        series: ["oIoU", "mIoU"].map((metric, at) => ({
          name: metric,
          colour: palette[at],
          points: swept.map(({ x, found }) => {
            const [y, low, high] = gainsOf(found)[metric];
            return { x, y, low: low ?? undefined, high: high ?? undefined };
          }),
        })),
      },
    ];
  });
  return panels.length === 0 ? undefined : charts("NeMo at other K and τ", panels);
}

function sharedSeeds(found) {
  const [first, ...others] = found.map(({ bySeed }) => bySeed.map(({ seed }) => seed));
  return first.filter((seed) => others.every((seeds) => seeds.includes(seed)));
}

/** Risk against difficulty: every setting faint, each rule's best as a curve, the presets as stars. */
export function falseNegativeChart({ points, presets }) {
  const rules = [...new Set(points.map(({ rule }) => rule))];
  const panel = (by, title, label) => ({
    title,
    x: { label, isLog: by === "meanRank" },
    y: { label: "drawn negatives that are true of the expression, %" },
    series: [
      ...rules.map((rule, at) => ({
        colour: palette[at],
        line: false,
        isFaint: true,
        points: points.filter((point) => point.rule === rule).map((point) => ({ x: point[by], y: 100 * point.risk })),
      })),
      ...rules.map((rule, at) => ({
        name: rule,
        colour: palette[at],
        points: frontOf(
          points.filter((point) => point.rule === rule),
          by,
        ).map((point) => ({ x: point[by], y: 100 * point.risk })),
      })),
      ...presets
        .filter(({ name }) => name !== "random")
        .map(({ name, ...point }) => ({
          name: `preset ${name}`,
          colour: name === "nemo" ? "#b00020" : palette[rules.indexOf("reference")],
          mark: "star",
          points: [
            {
              x: point[by],
              y: 100 * point.risk,
              low: 100 * (point.risk - point.error),
              high: 100 * (point.risk + point.error),
            },
          ],
        })),
    ],
  });
  return charts("False negatives, counted: hard to the left, risky above", [
    panel("meanRank", "by rank", "mean rank of the negatives (0 is the best match)"),
    panel("meanGap", "by score", "mean of: own image's score less the negative's"),
  ]);
}
