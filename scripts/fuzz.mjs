// npm run fuzz [-- --seed N --runs N --only WORDS]: garbled input for every reader, 10,000 cases each.
import "./setup/node-version.mjs";
import { spawnSync } from "node:child_process";
import { inRepo } from "./setup/places.mjs";

const given = optionsOf(process.argv.slice(2), ["seed", "runs", "only"]);
const seed = given.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const runs = given.runs ?? "10000";
for (const [name, text] of [
  ["seed", seed],
  ["runs", runs],
]) {
  if (!/^\d+$/.test(text)) stop(`expected a whole number for --${name}, got ${text}`);
}
process.stdout.write(
  `fuzz: ${runs} cases of each reader, seed ${seed}; the same again: npm run fuzz -- --seed ${seed} --runs ${runs}\n`,
);
const done = spawnSync(
  process.execPath,
  [
    inRepo("node_modules", "vitest", "vitest.mjs"),
    "run",
    "test/fuzz",
    ...(given.only === undefined ? [] : ["-t", given.only]),
  ],
  { cwd: inRepo("."), stdio: "inherit", env: { ...process.env, NEMOSAIC_FUZZ_RUNS: runs, NEMOSAIC_FUZZ_SEED: seed } },
);
process.exitCode = done.status ?? 1;

function optionsOf(words, names) {
  const found = {};
  for (let at = 0; at < words.length; at++) {
    const [, name, value] = /^--([a-z]+)(?:=(.*))?$/.exec(words[at]) ?? [];
    if (!names.includes(name))
      stop(`expected ${names.map((known) => `--${known} VALUE`).join(", ")}, got ${words[at]}`);
    found[name] = value ?? words[++at];
    if (found[name] === undefined) stop(`expected a value after --${name}`);
  }
  return found;
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
