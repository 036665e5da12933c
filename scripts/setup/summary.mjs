const listedAtMost = 60;

/**
 * The end of `npm test`: a table of the steps, what did not run and why, and as the last line
 * `N passed, M failed, K skipped` over all of them. `rows` are {name, seconds, passed, failed, skipped: [{file, title,
 * reason}], notes, why}.
 */
export function summaryOf(rows) {
  const sum = (count) => rows.reduce((total, row) => total + count(row), 0);
  const totals = {
    passed: sum((row) => row.passed),
    failed: sum((row) => row.failed),
    skipped: sum((row) => row.skipped.length),
  };
  return [
    ...tableOf(rows),
    ...failuresOf(rows),
    ...absencesOf(rows),
    "",
    `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`,
  ].join("\n");
}

function tableOf(rows) {
  const line = (cells) =>
    `${cells[0].padEnd(14)}${cells[1].padEnd(9)}${cells
      .slice(2)
      .map((cell) => String(cell).padStart(9))
      .join("")}`;
  return [
    line(["step", "result", "passed", "failed", "skipped", "seconds"]),
    ...rows.map((row) =>
      line([row.name, resultOf(row), row.passed, row.failed, row.skipped.length, row.seconds.toFixed(1)]),
    ),
  ];
}

function resultOf(row) {
  if (row.failed > 0) return "FAILED";
  return row.passed > 0 ? "passed" : "skipped";
}

function failuresOf(rows) {
  const failures = rows.filter((row) => row.failed > 0 && row.why !== undefined);
  return failures.length === 0 ? [] : ["", "failed:", ...failures.map((row) => `  ${row.name}: ${row.why}`)];
}

function absencesOf(rows) {
  const lines = rows.flatMap((row) => [
    ...row.skipped.map((test) => absenceOf(row.name, test)),
    ...row.notes.map((note) => `  ${row.name}: ${note}`),
  ]);
  if (lines.length === 0) return [];
  const more = lines.length - listedAtMost;
  return ["", "did not run:", ...lines.slice(0, listedAtMost), ...(more > 0 ? [`  and ${more} more`] : [])];
}

function absenceOf(step, { file, title, reason }) {
  const place = [step, file, title].filter((word) => word !== "").join(": ");
  return `  ${place}${reason ? `: ${reason}` : ""}`;
}
