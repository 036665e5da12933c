/** The room `sheets`: pictures and pages of what was chosen: contact sheets, previews, charts. */
export { type ContactEntry, type ContactOptions, contactEntries } from "./contact-entry.ts";
export { contactHtml, escapeHtml, type SummaryLine } from "./contact-html.ts";
export { contactPng } from "./contact-svg.ts";
export { type TextStyle, textPath, textWidth, wrapText } from "./outlined-text.ts";
export { dataUri, fillCell, greyOut, maskColour, type Picture, scaleToHeight, withMask } from "./picture.ts";
export { previewPng } from "./preview.ts";
export { colours } from "./score-curve.ts";
export { type ChartLine, type ChartPanel, chartPng, chartSvg } from "./tune-chart.ts";
