/** The style sheet of the report: one column, system fonts, colours for light and dark. */
export const style = `
:root { color-scheme: light dark; --ink: #1d2330; --quiet: #5d6679; --paper: #fbfbfd; --line: #e1e4ec; --card: #fff;
  --series-0: #2f6fde; --series-1: #d9622b; --truth: #1f9d57; --predicted: #d6217d; --other: #e0a800; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf2; --quiet: #9aa4b8; --paper: #14171e; --line: #2b313d; --card: #1b1f28;
  --series-0: #74a5ff; --series-1: #ff9a66; --truth: #2ecc71; --predicted: #ff5aa8; --other: #ffc400; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 880px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 16px; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 8px; }
h3 { font-size: 1rem; margin: 24px 0 4px; }
p { margin: 0 0 6px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 24px; margin: 0 0 20px; }
table { border-collapse: collapse; margin: 12px 0 0; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 20px 4px 0; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; font-weight: 600; }
thead th { color: var(--quiet); font-weight: 400; }
.quiet { color: var(--quiet); }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; color: var(--ink); }
.legend { display: flex; flex-wrap: wrap; gap: 18px; font-size: 0.85rem; }
.legend span[class^="series"]::before, .truth::before, .predicted::before, .other::before { content: ""; display: inline-block; width: 10px;
  height: 10px; border-radius: 50%; margin-right: 6px; }
.series-0::before { background: var(--series-0); } .series-1::before { background: var(--series-1); }
.truth::before { background: var(--truth); } .predicted::before { background: var(--predicted); } .other::before { background: var(--other); }
.wide { overflow-x: auto; }
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 18px; }
figure { margin: 0; } figure img { width: 100%; aspect-ratio: 4 / 3; object-fit: contain; background: var(--line);
  border-radius: 8px; display: block; }
figcaption { font-size: 0.85rem; margin-top: 6px; overflow-wrap: anywhere; }
.gone { aspect-ratio: 4 / 3; display: grid; place-items: center; padding: 12px; border: 1px dashed var(--line); border-radius: 8px;
  color: var(--quiet); font-size: 0.85rem; text-align: center; }
`;
