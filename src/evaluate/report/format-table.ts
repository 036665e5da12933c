import { unknownName } from "../../model/index.ts";

/** A table of text: the first column says what a row is about, the others hold numbers. */
export interface Table {
  /** Of a breakdown; it heads the first column in plain text. undefined: the metrics of the whole set. */
  readonly title?: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const tableFormats = ["text", "markdown", "latex", "csv"] as const;
export type TableFormat = (typeof tableFormats)[number];

/** The format of that name. Errors: "usage" with the valid names. */
export function tableFormat(name: string): TableFormat {
  const found = tableFormats.find((known) => known === name);
  if (found === undefined) throw unknownName("value of --format", name, tableFormats);
  return found;
}

/** Lines of `notes` and then the tables, in a format; CSV, being for programs, is written from the values elsewhere. */
export function formatTables(
  notes: readonly string[],
  tables: readonly Table[],
  format: Exclude<TableFormat, "csv">,
): string {
  const blocks = tables.map((table) =>
    format === "text" ? plain(table) : format === "markdown" ? markdown(table) : latex(table),
  );
  const lines = format === "latex" ? notes.map((note) => `% ${note}`) : notes;
  return `${[lines.join(format === "markdown" ? "  \n" : "\n"), ...blocks].join("\n\n")}\n`;
}

/** One line of CSV (RFC 4180). */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return cells
    .map((cell) => {
      const text = cell === null ? "" : String(cell);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(",");
}

/** Columns two spaces apart: the first aligned left, the others right. */
function plain({ title, header, rows }: Table): string {
  const all = [
    title === undefined ? header : [title, ...header.slice(1)],
    ...rows.map((row) => (title === undefined ? row : [`  ${row[0]}`, ...row.slice(1)])),
  ];
  const widths: number[] = [];
  for (const row of all) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return all
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function markdown({ title, header, rows }: Table): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.trim().replaceAll("|", "\\|").replaceAll("*", "\\*")).join(" | ")} |`;
  const rule = `|${header.map((_, i) => (i === 0 ? "---" : "---:")).join("|")}|`;
  const head = title === undefined ? header : [title, ...header.slice(1)];
  return [line(head), rule, ...rows.map(line)].join("\n");
}

const latexSigns: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "–": "--",
  "−": "$-$",
  "±": "$\\pm$",
};

/** Text made safe for LaTeX. */
function latexText(text: string): string {
  return text.replace(/[\\~^<>–−±]|[%&_#${}]/g, (sign) => latexSigns[sign] ?? `\\${sign}`);
}

/** A tabular for the package booktabs. */
function latex({ title, header, rows }: Table): string {
  const line = (cells: readonly string[]): string => `${cells.map((cell) => latexText(cell.trim())).join(" & ")} \\\\`;
  const head = title === undefined ? header : [title, ...header.slice(1)];
  return [
    `\\begin{tabular}{l${"r".repeat(header.length - 1)}}`,
    "\\toprule",
    line(head),
    "\\midrule",
    ...rows.map(line),
    "\\bottomrule",
    "\\end{tabular}",
  ].join("\n");
}
