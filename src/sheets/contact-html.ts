import { dropRules, dropRuleTexts } from "../band/index.ts";
import { type CandidateView, type ContactEntry, measureOf } from "./contact-entry.ts";
import { dataUri, fillCell, scaleToHeight, withMask } from "./picture.ts";
import { scoreCurve } from "./score-curve.ts";
import { explainSingles, kindCaption, singleCaption } from "./single-caption.ts";

/** One line of the summary table of a page. */
export interface SummaryLine {
  readonly label: string;
  readonly value: string;
}

/** The contact sheet as one self-contained HTML page: no script, no request, light and dark. */
export async function contactHtml(
  entries: readonly ContactEntry[],
  title: string,
  subtitle: string,
  summary: readonly SummaryLine[],
): Promise<string> {
  const sections = await Promise.all(entries.map(section));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(subtitle)}</p>
<dl>${summary.map(({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`).join("")}</dl>
</header>
<main>
${sections.join("\n")}
</main>
</body>
</html>
`;
}

async function section(entry: ContactEntry): Promise<string> {
  const target = withMask(scaleToHeight(entry.target, 300), 0.12, 3);
  const curve = scoreCurve(entry.curve, entry.verdicts, entry.tau, { x: 0, y: 0, width: 600, height: 72 });
  const drops = dropRules
    .filter((rule) => rule !== "own-image" && entry.drops[rule] > 0)
    .map((rule) => `<li><b>${entry.drops[rule]}</b> ${escapeHtml(dropRuleTexts[rule])}</li>`);
  const mosaics = await Promise.all(
    entry.mosaics.map(async ({ picture, plan }, at) => {
      const scores = plan.why.negatives.map(({ t2i }) => (t2i === null ? "?" : t2i.toFixed(3))).join(", ");
      const caption =
        plan.kind === "single"
          ? singleCaption(plan.why.policy)
          : plan.why.sentence !== undefined
            ? `${kindCaption(plan)}: “${plan.text}”`
            : `${plan.kind}; negatives ${scores}`;
      return figure(
        await dataUri(withMask(scaleToHeight(picture, 300), 0.35, 2)),
        `mosaic ${at + 1} for “${entry.text}”, mask in pink`,
        caption,
      );
    }),
  );
  const whole = explainSingles(entry.mosaics.map(({ plan }) => plan));
  return `<section>
<h2>“${escapeHtml(entry.text)}”</h2>
<p class="key">${escapeHtml(entry.key)}</p>
<div class="grid">
<div>${figure(await dataUri(target), `target image of “${entry.text}”, mask outlined in pink`, `the target; own score ${score(entry.ownScore)}`)}
<ul>${drops.join("")}<li><b>${entry.bandSize}</b> in the band of ${entry.curve.length} mined candidates</li></ul></div>
<div class="strips">
<h3 class="tau">Dropped: probably true of these, too</h3>
<div class="strip dropped">${await strip(entry.dropped)}</div>
<p class="line"><span>${escapeHtml(entry.limits)}</span></p>
<h3 class="band">The band: hard negatives</h3>
<div class="strip">${await strip(entry.band)}</div>
<svg viewBox="0 0 600 72" role="img" aria-label="scores of all candidates over their rank, τ as a dashed line">${curve.svg}</svg>
</div>
</div>
${whole === undefined ? "" : `<p>${escapeHtml(whole)}</p>\n`}<div class="mosaics">${mosaics.join("")}</div>
</section>`;
}

async function strip(views: readonly CandidateView[]): Promise<string> {
  if (views.length === 0) return "<p>nothing here</p>";
  const figures = await Promise.all(
    views.map(async (view) => {
      const why = view.rule === undefined ? "in the band" : dropRuleTexts[view.rule];
      const caption = `#${view.rank + 1} · ${measureOf(view)}`;
      return figure(
        await dataUri(fillCell(view.picture, 160, 120), 82),
        view.said === "" ? "candidate image" : `candidate; described as “${view.said}”`,
        caption,
        why,
      );
    }),
  );
  return figures.join("");
}

function figure(source: string, alt: string, caption: string, hover?: string): string {
  return `<figure${hover === undefined ? "" : ` title="${escapeHtml(hover)}"`}><img src="${source}" alt="${escapeHtml(alt)}"><figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}

function score(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : "–";
}

/** Text made safe inside HTML and attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const style = `
:root{color-scheme:light dark;--ink:#1b1f27;--soft:#5b6270;--line:#e3e6ea;--paper:#fff;--band:#0b7d6f;--tau:#b23c0a}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaee;--soft:#a0a7b4;--line:#2d323c;--paper:#14171c;--band:#46c9b7;--tau:#f29a6b}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,main{max-width:1240px;margin:0 auto;padding:24px 32px}
h1{font-size:28px;margin:0}
header p,.key{color:var(--soft);margin:4px 0}
.key{font-size:13px}
dl{display:flex;flex-wrap:wrap;gap:12px 32px;margin:20px 0 0}
dt{color:var(--soft);font-size:13px}
dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
section{border-top:1px solid var(--line);padding:24px 0 32px}
h2{font-size:22px;margin:0}
h3{font-size:14px;margin:0 0 6px}
.tau{color:var(--tau)}.band{color:var(--band)}
.grid{display:grid;grid-template-columns:minmax(260px,420px) 1fr;gap:32px;margin:16px 0}
figure{margin:0}
img{display:block;max-width:100%;border-radius:4px}
figcaption{font-size:13px;color:var(--soft);font-variant-numeric:tabular-nums;margin-top:4px}
ul{padding-left:18px;font-size:14px;color:var(--soft)}
ul b{color:var(--ink)}
.strip{display:flex;flex-wrap:wrap;gap:12px}
.strip img{height:96px;width:auto}
.dropped img{filter:grayscale(1);opacity:.6}
.line{border-top:2px dashed var(--tau);margin:14px 0 10px;text-align:right}
.line span{color:var(--tau);font-weight:600;font-size:14px}
svg{width:100%;height:auto;margin-top:16px}
.mosaics{display:flex;flex-wrap:wrap;gap:20px}
@media (max-width:820px){.grid{grid-template-columns:1fr}}
`;
