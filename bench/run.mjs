// npm run bench [-- NAME …]: every benchmark in turn, each in its own process; writes bench/results.json and the table of
// docs/bench.md. Needs a build. Other work on the machine spoils the numbers: the load average is recorded.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import { root } from "./measure.mjs";
import { tableOf } from "./table.mjs";

/** name → arguments. */
const benches = {
  mining: [],
  loader: [],
  pytorch: [],
  embedding: [],
  pool: [],
  scenes: [],
  evaluate: ["--json"],
  "mining-memory": [],
  risk: [],
  "end-to-end": [],
};

/** Ten minutes and more, and interpreters that only some have. */
const onlyByName = new Set(["end-to-end"]);

const asked = process.argv.slice(2).filter((name) => name in benches);
const path = join(root, "bench", "results.json");
const results = readKnown();
for (const name of asked.length > 0 ? asked : Object.keys(benches).filter((each) => !onlyByName.has(each))) {
  process.stderr.write(`${name} …\n`);
  const load = loadavg()[0];
  const done = spawnSync(process.execPath, [join(root, "bench", `${name}.mjs`), ...benches[name]], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
  const last = done.stdout.trim().split("\n").at(-1) ?? "";
  let result;
  try {
    result = JSON.parse(last);
  } catch {
    result = undefined;
  }
  if (done.status !== 0 || result === undefined) {
    process.stderr.write(`${name} failed\n`);
    process.exitCode = 1;
    continue;
  }
  results.benches[name] = {
    ...result,
    date: new Date().toISOString().slice(0, 10),
    loadBefore: Number(load.toFixed(2)),
  };
  save();
}
/** After each, so that a run that is ended keeps what it has. */
function save() {
  results.machine = { cpu: cpus()[0]?.model ?? "unknown", cores: availableParallelism(), node: process.version };
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);

  const page = join(root, "docs", "bench.md");
  const text = readFileSync(page, "utf8");
  const [begin, end] = ["<!-- table: npm run bench -->", "<!-- end of table -->"];
  if (!text.includes(begin) || !text.includes(end)) throw new Error(`expected the marks of the table in ${page}`);
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  writeFileSync(page, `${before}\n\n${tableOf(results)}\n\n${text.slice(text.indexOf(end))}`);
}

function readKnown() {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { benches: {} }; // the first run
  }
}
