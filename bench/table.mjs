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
      lines.push(
        `| ${[...row, bench.loadBefore === undefined ? bench.date : `${bench.date}, ${bench.loadBefore}`].join(" | ")} |`,
      );
  }
  const noted = Object.entries(benches).filter(([, { notes }]) => notes !== undefined);
  for (const [name, { notes }] of noted) {
    const facts = Object.entries(notes).map(
      ([key, value]) =>
        `${key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${Array.isArray(value) ? value.map((path) => String(path).split("/").slice(-2).join("/")).join(", ") : typeof value === "number" ? numberText(value) : value}`,
    );
    lines.push("", ...wrapped(`${name}: ${facts.join("; ")}.`));
  }
  return lines.join("\n");
}

/** Lines of at most 120 columns, as the documents' test asks for. */
function wrapped(text) {
  const lines = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > 120) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
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

/** Facts with their units, for people: {seconds: 9.18, peakMegabytes: 769} → "9.18 s, 769 MB at most". */
function factsOf(facts) {
  return Object.entries(facts)
    .filter(([key, value]) => !["bench", "date", "loadBefore", "notes"].includes(key) && typeof value !== "object")
    .map(([key, value]) => (phrases[key] ?? plainPhrase(key))(typeof value === "number" ? numberText(value) : value))
    .join(", ");
}

const phrases = {
  seconds: (value) => `${value} s`,
  coreSeconds: (value) => `${value} s of core time`,
  peakMegabytes: (value) => `${value} MB at most`,
  cpuMillisecondsPerScene: (value) => `${value} ms of core time a scene`,
  oneThreadPerSecond: (value) => `${value}/s on one thread`,
  allCoresPerSecond: (value) => `${value}/s on all cores`,
  speedUp: (value) => `${value} times as fast on all`,
  millionPairs: (value) => `${value} million pairs`,
  millionPairsPerSecond: (value) => `${value} million pairs/s`,
};

/** "threads" → "2 threads"; "buildSeconds" → "2 build seconds". */
function plainPhrase(key) {
  return (value) => `${value} ${key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`;
}

function spreadText({ median, low, high }) {
  const digits = digitsOf(median);
  return `${fixed(median, digits)} (${fixed(low, digits)}–${fixed(high, digits)})`;
}

/** Three figures, and thousands in groups. */
function numberText(value) {
  return Number.isInteger(value) ? fixed(value, 0) : fixed(value, digitsOf(value));
}

function digitsOf(value) {
  return value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
}

function fixed(value, digits) {
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))(?<!\..*)/g, ",");
}
