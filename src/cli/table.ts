/** Lines up rows in columns, two spaces apart; a column of numbers (below its heading) is right-aligned. For terminals, no colours. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const shapes = Array.from({ length: columns }, (_, at) => {
    const cells = rows.map((row) => row[at] ?? "");
    const body = cells.slice(isNumber(cells[0] ?? "") ? 0 : 1).filter((cell) => cell !== "");
    return { width: Math.max(...cells.map((cell) => cell.length)), isRight: body.length > 0 && body.every(isNumber) };
  });
  return rows
    .map((row) =>
      row
        .map((cell, at) =>
          shapes[at]?.isRight ? cell.padStart(shapes[at]?.width ?? 0) : cell.padEnd(shapes[at]?.width ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function isNumber(cell: string): boolean {
  return /^[-+]?[\d,]+(\.\d+)?( ?%|\/s)?$/.test(cell);
}
