import { formatCount, formatNumber } from "../io/index.ts";
import type { Difficulty, FalseSentenceSummary } from "../loader/index.ts";

const percent = (share: number): string => (Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`);
const score = (value: number): string => (Number.isNaN(value) ? "–" : value.toFixed(3));

/** How hard and how safe negatives are, in two lines for the end of a step. */
export function difficultyLines({ band, random, own, expressions, full, rule }: Difficulty): string[] {
  return [
    `${percent(full / Math.max(1, expressions))} of bands fill a mosaic; hard negatives ${percent(band.hard)} (random images ${percent(random.hard)}), estimated to be true ${percent(band.risk)} (${percent(random.risk)}), mean score ${score(band.score)} (${score(random.score)}; own image ${score(own)})`,
    `rule: ${rule}`,
  ];
}

/** The same as rows of a table: band, random candidate and own image side by side. */
export function difficultyTable(difficulty: Difficulty): string[][] {
  const { band, random, own, coverage } = difficulty;
  return [
    ["", "band", "random image", "own image"],
    ["mean score", score(band.score), score(random.score), score(own)],
    ...(coverage === undefined
      ? []
      : [
          ["estimated to be true", percent(band.risk), percent(random.risk), "100 %"],
          ["hard: shows the kind, is not true", percent(band.hard), percent(random.hard), ""],
        ]),
  ];
}

/** The sentences of an epoch that are to be true of nothing, as rows of a table: label and value. */
export function falseSentenceRows(summary: FalseSentenceSummary): [label: string, value: string][] {
  const { samples, drawn, lacking, sources, changes, risk, showsKind } = summary;
  const said = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${formatNumber(count)}`)
      .join(", ");
  const changed = Object.keys(changes).length === 0 ? "" : ` (${said(changes)})`;
  return [
    [
      "sentences true of nothing",
      `${formatNumber(drawn)} of ${formatCount(samples, "sample")}: ${said(sources)}${changed}`,
    ],
    ...(lacking === 0
      ? []
      : [["none known to be false", `${formatCount(lacking, "sample")}, which keep their own`] as [string, string]]),
    ...(Number.isNaN(risk)
      ? []
      : [
          [
            "of the pool's, estimated",
            `true after all ${percent(risk)}; name a kind that the image shows ${percent(showsKind)}`,
          ] as [string, string],
        ]),
  ];
}
