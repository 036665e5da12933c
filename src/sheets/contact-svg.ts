import { type DropRule, dropRules, dropRuleTexts } from "../band/index.ts";
import { renderSvg } from "../codecs/index.ts";
import { type CandidateView, type ContactEntry, measureOf } from "./contact-entry.ts";
import { textPath, wrapText } from "./outlined-text.ts";
import { dataUri, fillCell, greyOut, type Picture, scaleToHeight, withMask } from "./picture.ts";
import { colours, scoreCurve } from "./score-curve.ts";
import { kindCaption, singleCaption } from "./single-caption.ts";

const margin = 32;
const column = { target: 300, middle: 570, mosaic: 214, gap: 26, mosaicGap: 12 } as const;
const width = margin * 2 + column.target + column.middle + 2 * column.gap + 3 * column.mosaic + 2 * column.mosaicGap;
const headHeight = 92;
const rowHeight = 396;

/** The contact sheet as a PNG: a block per expression with target, ranked candidates around the line of τ, and mosaics. */
export async function contactPng(
  entries: readonly ContactEntry[],
  title: string,
  subtitle: string,
): Promise<Uint8Array> {
  const height = headHeight + entries.length * rowHeight + margin / 2;
  const blocks = await Promise.all(entries.map((entry, at) => block(entry, headHeight + at * rowHeight)));
  return renderSvg(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
      `<rect width="100%" height="100%" fill="${colours.paper}"/>` +
      textPath(title, margin, 46, { size: 26, weight: 600, fill: colours.ink, maxWidth: width - 2 * margin }) +
      textPath(subtitle, margin, 72, { size: 15, fill: colours.soft, maxWidth: width - 2 * margin }) +
      blocks.join("") +
      "</svg>",
  );
}

async function block(entry: ContactEntry, top: number): Promise<string> {
  const line = `<line x1="${margin}" x2="${width - margin}" y1="${top}" y2="${top}" stroke="${colours.line}"/>`;
  const heading =
    textPath(`“${entry.text}”`, margin, top + 36, {
      size: 22,
      weight: 600,
      fill: colours.ink,
      maxWidth: width - 2 * margin - 420,
    }) + textPath(entry.key, width - margin, top + 36, { size: 13, fill: colours.soft, anchor: "end", maxWidth: 400 });
  const body = top + 58;
  const middle = margin + column.target + column.gap;
  const right = middle + column.middle + column.gap;
  return (
    line +
    heading +
    (await target(entry, margin, body)) +
    (await candidates(entry, middle, body)) +
    (await mosaics(entry, right, body))
  );
}

async function target(entry: ContactEntry, x: number, y: number): Promise<string> {
  const height = Math.min(225, Math.round((column.target * entry.target.height) / entry.target.width));
  const picture = withMask(scaleToHeight(entry.target, height), 0.12, 3);
  const facts = [
    `own score ${score(entry.ownScore)}`,
    `band ${entry.bandSize} of ${entry.curve.length} mined candidates`,
    ...dropLines(entry),
  ];
  return (
    (await image(picture, x, y)) +
    facts
      .map((fact, at) =>
        textPath(fact, x, y + height + 22 + at * 18, {
          size: 13,
          fill: at === 0 ? colours.ink : colours.soft,
          maxWidth: column.target,
        }),
      )
      .join("")
  );
}

function dropLines(entry: ContactEntry): string[] {
  return dropRules
    .filter((rule) => rule !== "own-image" && entry.drops[rule] > 0)
    .map((rule) => `dropped ${entry.drops[rule]}: ${shortText(rule)}`);
}

/** A rule in a few words: its text up to the explanation, in letters that the font has. */
function shortText(rule: DropRule): string {
  return (dropRuleTexts[rule].split(/[:,]/)[0] ?? rule).replace("ᵢ", "i");
}

async function candidates(entry: ContactEntry, x: number, y: number): Promise<string> {
  const each = (column.middle - 4 * 8) / 5;
  const high = 74;
  const strip = async (views: readonly CandidateView[], top: number, isDropped: boolean): Promise<string> =>
    (
      await Promise.all(
        views.slice(0, 5).map(async (view, at) => {
          const left = x + at * (each + 8);
          const scaled = fillCell(view.picture, each, high);
          return (
            (await image(isDropped ? greyOut(scaled) : scaled, left, top, each)) +
            textPath(`#${view.rank + 1}`, left, top + high + 14, { size: 12, fill: colours.soft }) +
            textPath(measureOf(view), left + each, top + high + 14, {
              size: 12,
              weight: 600,
              anchor: "end",
              fill: isDropped ? colours.tau : colours.band,
            })
          );
        }),
      )
    ).join("") ||
    textPath(isDropped ? "nothing dropped by a threshold" : "the band is empty", x, top + high / 2, {
      size: 13,
      fill: colours.soft,
    });
  const label = (text: string, at: number, fill: string): string =>
    textPath(text, x, at, { size: 12, weight: 600, fill });
  const firstTop = y + 16;
  const lineY = firstTop + high + 25;
  const secondTop = lineY + 24;
  const curve = scoreCurve(entry.curve, entry.verdicts, entry.tau, {
    x,
    y: secondTop + high + 28,
    width: column.middle,
    height: 58,
  });
  return (
    label("dropped: probably true of these, too", y + 8, colours.tau) +
    (await strip(entry.dropped, firstTop, true)) +
    `<line x1="${x}" x2="${x + column.middle}" y1="${lineY}" y2="${lineY}" stroke="${colours.tau}" stroke-width="1.5" stroke-dasharray="6 4"/>` +
    textPath(entry.limits, x + column.middle, lineY + 15, {
      size: 13,
      weight: 600,
      fill: colours.tau,
      anchor: "end",
    }) +
    label("the band: hard negatives", lineY + 15, colours.band) +
    (await strip(entry.band, secondTop, false)) +
    curve.svg +
    (curve.tauY === undefined
      ? ""
      : textPath("τ", x + column.middle + 5, curve.tauY + 4, { size: 12, weight: 600, fill: colours.tau }))
  );
}

async function mosaics(entry: ContactEntry, x: number, y: number): Promise<string> {
  const parts = await Promise.all(
    entry.mosaics.slice(0, 3).map(async ({ picture, plan }, at) => {
      const left = x + at * (column.mosaic + column.mosaicGap);
      const scores = plan.why.negatives.map(({ t2i }) => (t2i === null ? "?" : score(t2i)));
      const caption =
        plan.kind === "single"
          ? singleCaption(plan.why.policy)
          : plan.why.sentence !== undefined
            ? `“${plan.text}”: ${kindCaption(plan)}`
            : `${plan.kind}: ${scores.slice(0, 3).join("  ")}${scores.length > 3 ? " …" : ""}`;
      return (
        (await image(withMask(scaleToHeight(picture, column.mosaic), 0.35, 2), left, y)) +
        textPath(caption, left, y + column.mosaic + 18, { size: 12, fill: colours.soft, maxWidth: column.mosaic })
      );
    }),
  );
  const lines = wrapText(`“${entry.text}”`, 3 * column.mosaic + 2 * column.mosaicGap, 15, 2);
  return (
    parts.join("") +
    lines
      .map((text, at) => textPath(text, x, y + column.mosaic + 44 + at * 20, { size: 15, fill: colours.ink }))
      .join("")
  );
}

async function image(picture: Picture, x: number, y: number, room = picture.width): Promise<string> {
  const left = x + Math.max(0, (room - picture.width) / 2);
  return `<image x="${left.toFixed(1)}" y="${y}" width="${picture.width}" height="${picture.height}" href="${await dataUri(picture)}"/>`;
}

function score(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : "–";
}
