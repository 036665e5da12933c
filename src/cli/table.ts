/** Lines up rows in columns, two spaces apart; numbers (as text) are right-aligned. For terminals, no colours. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => (isNumber(cell) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function isNumber(cell: string): boolean {
  return /^[-+]?[\d,]+(\.\d+)?( ?%|\/s)?$/.test(cell);
}
