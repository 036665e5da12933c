import { renderSvg } from "../codecs/index.ts";
import { CounterRandom } from "../kernels/index.ts";
import type { Loader } from "../loader/index.ts";
import { textPath, wrapText } from "./outlined-text.ts";
import { dataUri, scaleToHeight, withMask } from "./picture.ts";
import { colours } from "./score-curve.ts";
import { kindCaption } from "./single-caption.ts";

/** A PNG of samples as training sees them, masks overlaid, each with its expression: `count` of epoch `epoch`, drawn by the loader's seed. */
export async function previewPng(
  loader: Loader,
  options: { readonly count: number; readonly epoch: number },
): Promise<Uint8Array> {
  const count = Math.min(options.count, loader.length);
  const indices = new CounterRandom(loader.seed, options.epoch, 0, 101).sample(loader.length, count);
  const columns = Math.min(4, count);
  const side = 300;
  const [gap, margin, caption] = [24, 32, 70];
  const rows = Math.ceil(count / columns);
  const width = margin * 2 + columns * side + (columns - 1) * gap;
  const height = margin * 2 + rows * (side + caption) + (rows - 1) * gap;
  const cells: string[] = [];
  for (const [at, index] of indices.entries()) {
    const plan = loader.plan(options.epoch, index);
    const { image, mask } = await loader.draw(plan);
    const picture = withMask(scaleToHeight({ width: plan.size, height: plan.size, data: image, mask }, side), 0.35, 2);
    const x = margin + (at % columns) * (side + gap);
    const y = margin + Math.floor(at / columns) * (side + caption + gap);
    const lines = wrapText(plan.text, side, 15, 2, 600);
    cells.push(
      `<image x="${x}" y="${y}" width="${side}" height="${side}" href="${await dataUri(picture)}"/>`,
      ...lines.map((text, line) =>
        textPath(text, x, y + side + 20 + line * 19, { size: 15, weight: 600, fill: colours.ink }),
      ),
      textPath(`${kindCaption(plan)} · sample ${plan.index}`, x, y + side + 20 + lines.length * 19, {
        size: 12,
        fill: colours.soft,
      }),
    );
  }
  return renderSvg(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${colours.paper}"/>${cells.join("")}</svg>`,
  );
}
