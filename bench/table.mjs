/** The results of `npm run bench` as Markdown: medians, least to most in brackets. */
export function tableOf({ machine, benches }) {
  const lines = [
    `Machine: ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}.`,
    "",
    "| what | ours | beside | theirs | ratio | goal | date, load before |",
    "|---|---|---|---|---|---|---|",
  ];
  for (const [name, bench] of Object.entries(benches)) {
    for (const row of rowsOf(name, bench))
      lines.push(`| ${[...row, `${bench.date}, ${bench.loadBefore}`].join(" | ")} |`);
  }
  const noted = Object.entries(benches).filter(([, { notes }]) => notes !== undefined);
  for (const [name, { notes }] of noted) {
    const facts = Object.entries(notes).map(
      ([key, value]) =>
        `${key} ${Array.isArray(value) ? value.map((path) => String(path).split("/").slice(-2).join("/")).join(", ") : value}`,
    );
    lines.push("", `${name}: ${facts.join("; ")}.`);
  }
  return lines.join("\n");
}

function rowsOf(name, { rows, ...rest }) {
  if (!Array.isArray(rows)) return [[`${name}: ${factsOf(rest)}`, "", "", "", "", ""]];
  return rows.map((row) => {
    if (row.ours === undefined) {
      const { what, goal = "", ...facts } = row;
      return [`${name}: ${what ?? ""}`, factsOf(facts), "", "", "", goal];
    }
    const { what, unit, ours, peer = "", theirs, ratio, goal = "" } = row;
    return [
      `${name}: ${what}`,
      `${spreadText(ours)} ${unit}`,
      peer,
      theirs ? spreadText(theirs) : "",
      ratio ? spreadText(ratio) : "",
      goal,
    ];
  });
}

function factsOf(facts) {
  return Object.entries(facts)
    .filter(([key, value]) => !["bench", "date", "loadBefore", "notes"].includes(key) && typeof value !== "object")
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
}

function spreadText({ median, low, high }) {
  const digits = median >= 100 ? 0 : median >= 10 ? 1 : 2;
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}
