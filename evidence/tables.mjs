// The tables of docs/evidence/tables.md.
import { frontOf, riskAt } from "./false-negatives.mjs";
import { shownSets } from "./test-sets.mjs";

/** What it ran on and how large it was. */
export function machineText({ machine, profile, model, seeds, runs, counts, clockSeconds }) {
  const total = runs.reduce((sum, { trainSeconds }) => sum + trainSeconds, 0);
  return [
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.device}; Node ${machine.node}, PyTorch ${machine.torch}; ${machine.jobs} runs at a time, a thread each. Load average at the end: ${machine.loadAtTheEnd}.`,
    `- Scenes: ${["base", "train", "test"].map((name) => `${name} ${number(counts[name].images)} pictures, ${number(counts[name].sentences)} expressions`).join("; ")}.`,
    `- Each run: ${number(profile.steps)} steps of ${profile.batchSize} samples of ${profile.size} × ${profile.size} pixels, seeds ${seeds.join(", ")}; ${Math.round(Math.min(...runs.map((run) => run.trainSeconds)))} to ${Math.round(Math.max(...runs.map((run) => run.trainSeconds)))} s of training, ${number(Math.round(total))} s in all${clockSeconds > 0 ? `; training and testing took ${number(clockSeconds)} s by the clock` : ""}.`,
    `- Mined with \`${model}\`, ${number(profile.depth)} candidates an expression.`,
  ].join("\n");
}

/** What each arm is given to learn from. */
export function drawnTable({ arms, drawn }) {
  const rows = drawn.map(({ arm, planned, mosaics, moved, rival }) => [
    arms.find(({ name }) => name === arm)?.title ?? arm,
    percent(mosaics / planned),
    mosaics === 0 ? "–" : percent(moved),
    mosaics === 0 || rival === undefined ? "–" : percent(rival),
  ]);
  return table(
    [
      "arm",
      "mosaics of all samples",
      "of these: put where a position word is false",
      "of these: a negative is true by itself",
    ],
    rows,
  );
}

/** The mean over seeds of each arm on each test set. */
export function armTable({ arms, runs }) {
  const sets = [{ title: "all" }, ...shownSets];
  const rows = arms.map(({ name, title }) => {
    const own = runs.filter(({ arm }) => arm === name);
    const cells = sets.map((set) => {
      const values = own.map((run) => metricsIn(run, set));
      return ["oIoU", "mIoU"]
        .map((metric) => mean(values.map((each) => each?.[metric][0])))
        .map(two)
        .join(" / ");
    });
    return [title, String(own.length), ...cells, two(mean(own.map(({ metrics }) => metrics["P@0.5"][0])))];
  });
  return table(["arm", "seeds", ...sets.map(({ title }) => `${title}: oIoU / mIoU`), "all: P@0.5"], rows);
}

/** The gain over `none` with its interval, all seeds together. */
export function gainTable({ arms, gains }) {
  const sets = [{ title: "all" }, ...shownSets];
  const rows = arms.flatMap(({ name, title }) => {
    const found = gains.find(({ arm }) => arm === name);
    if (found === undefined) return [];
    return ["oIoU", "mIoU"].map((metric) => [
      title,
      metric,
      ...sets.map((set) => gainText(gainsIn(found.together, set)?.[metric])),
    ]);
  });
  return table(["arm", "", ...sets.map(({ title }) => title)], rows);
}

/** The gain in mIoU by what the expression is built on. */
export function kindTable({ gains, arms }) {
  const kinds = gains[0]?.together.sets.filter(({ by }) => by === "kind") ?? [];
  const rows = gains.map(({ arm, together }) => [
    arms.find(({ name }) => name === arm)?.title ?? arm,
    ...kinds.map(({ label }) => gainText(gainsIn(together, { by: "kind", label })?.mIoU)),
  ]);
  return table(["arm", ...kinds.map(({ label }) => label)], rows);
}

/** The gain of every seed: what the choice of seed makes of it. */
export function seedTable({ arms, gains, seeds }) {
  const rows = arms.flatMap(({ name, title }) => {
    const found = gains.find(({ arm }) => arm === name);
    if (found === undefined) return [];
    return ["oIoU", "mIoU"].map((metric) => [
      title,
      metric,
      ...seeds.map((seed) => gainText(found.bySeed.find((each) => each.seed === seed)?.gains[metric])),
    ]);
  });
  return table(["arm", "", ...seeds.map((seed) => `seed ${seed}`)], rows);
}

/** The presets as they are, and each rule's least risk at their difficulty. */
export function falseNegativeTable({ points, presets, expressions }) {
  const first = table(
    ["preset", "negatives", "true of the expression", "mean rank", "mean gap of scores"],
    presets.map((each) => [
      `\`${each.name}\``,
      number(each.negatives),
      `${percent(each.risk)} ± ${percent(each.error)}`,
      each.meanRank.toFixed(1),
      each.meanGap.toFixed(3),
    ]),
  );
  const rules = [...new Set(points.map(({ rule }) => rule))];
  const levels = [10, 20, 40, 80, 160];
  const second = table(
    ["least risk at a mean rank of at most", ...levels.map(String)],
    rules.map((rule) => {
      const own = points.filter((point) => point.rule === rule);
      return [rule, ...levels.map((level) => riskText(riskAt(own, "meanRank", level)))];
    }),
  );
  const gaps = gapLevels(points);
  const third = table(
    ["least risk at a mean gap of at most", ...gaps.map((gap) => gap.toFixed(3))],
    rules.map((rule) => {
      const own = points.filter((point) => point.rule === rule);
      return [rule, ...gaps.map((gap) => riskText(riskAt(own, "meanGap", gap)))];
    }),
  );
  return `${number(expressions)} training expressions, three negatives each; ± is half of a 95 % interval.\n\n${first}\n\n${second}\n\n${third}`;
}

/** Five levels of difficulty that the unfiltered bands span. */
function gapLevels(points) {
  const gaps = frontOf(points, "meanGap").map(({ meanGap }) => meanGap);
  const [low, high] = [Math.min(...gaps), Math.max(...gaps)];
  return [0.2, 0.35, 0.5, 0.65, 0.8].map((share) => low + share * (high - low));
}

function riskText(point) {
  return point === undefined ? "–" : percent(point.risk);
}

function metricsIn(run, set) {
  return set.by === undefined
    ? run.metrics
    : run.sets.find((each) => each.by === set.by && each.label === set.label)?.metrics;
}

function gainsIn(comparison, set) {
  return set.by === undefined
    ? comparison.gains
    : comparison.sets.find((each) => each.by === set.by && each.label === set.label)?.gains;
}

/** "+1.20 (0.30 … 2.10) *": the star where the interval leaves 0 out. */
export function gainText(gain) {
  if (gain === undefined) return "–";
  const [value, low, high] = gain;
  if (low === null || high === null) return signed(value);
  return `${signed(value)} (${signed(low)} … ${signed(high)})${low > 0 || high < 0 ? " \\*" : ""}`;
}

export function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A page with its lines within 120 columns, but for tables. */
export function wrapPage(text) {
  return text.split("\n").map(wrapLine).join("\n");
}

function wrapLine(line) {
  if (line.length <= 120 || line.startsWith("|")) return line;
  const indent = line.startsWith("- ") ? "  " : "";
  const lines = [];
  let now = "";
  for (const word of line.split(" ")) {
    const next = now === "" ? word : `${now} ${word}`;
    if (next.length <= 120) now = next;
    else {
      lines.push(now);
      now = `${indent}${word}`;
    }
  }
  return [...lines, now].join("\n");
}

export function mean(values) {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
}

export function two(value) {
  return Number.isNaN(value) ? "–" : value.toFixed(2);
}

function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

export function number(value) {
  return value.toLocaleString("en-US");
}
