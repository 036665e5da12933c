import { spawnSync } from "node:child_process";
import { inRepo } from "./places.mjs";

/**
 * Runs the tests below `folder` with a seed and a number of cases from the command line: --seed N, --<count> N, --only
 * WORDS. `variables` names the environment variables that the tests read; `standard` is the number of cases where none is given. Ends the
 * process with status 2 where the words make no sense, and leaves the tests' status as its own.
 */
export function runSeededTests({ name, folder, count, cases, variables, standard }) {
  const given = optionsOf(process.argv.slice(2), ["seed", count, "only"]);
  const seed = given.seed ?? String(Math.floor(Math.random() * 2 ** 31));
  const number = given[count] ?? standard;
  for (const [option, text] of [
    ["seed", seed],
    [count, number],
  ]) {
    if (!/^\d+$/.test(text)) stop(`expected a whole number for --${option}, got ${text}`);
  }
  const only = given.only === undefined ? "" : ` --only "${given.only}"`;
  process.stdout.write(
    `${name}: ${number} ${cases}, seed ${seed}; the same again: npm run ${name} -- --seed ${seed} --${count} ${number}${only}\n`,
  );
  const vitest = inRepo("node_modules", "vitest", "vitest.mjs");
  const done = spawnSync(
    process.execPath,
    [vitest, "run", folder, ...(given.only === undefined ? [] : ["-t", given.only])],
    {
      cwd: inRepo("."),
      stdio: "inherit",
      env: { ...process.env, [variables.count]: number, [variables.seed]: seed },
    },
  );
  process.exitCode = done.status ?? 1;
}

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
