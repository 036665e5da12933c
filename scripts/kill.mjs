// npm run test:kill [-- --seed N --kills N --only WORDS]: kills (-9) every heavy command anywhere, runs it again, compares.
import "./setup/node-version.mjs";
import { spawnSync } from "node:child_process";
import { ensureBuild } from "./setup/build.mjs";
import { inRepo } from "./setup/places.mjs";

await ensureBuild();
const given = optionsOf(process.argv.slice(2), ["seed", "kills", "only"]);
const seed = given.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const kills = given.kills ?? "210";
for (const [name, text] of [
  ["seed", seed],
  ["kills", kills],
]) {
  if (!/^\d+$/.test(text)) stop(`expected a whole number for --${name}, got ${text}`);
}
process.stdout.write(
  `kill: ${kills} rounds, seed ${seed}; the same again: npm run test:kill -- --seed ${seed} --kills ${kills}\n`,
);
const done = spawnSync(
  process.execPath,
  [
    inRepo("node_modules", "vitest", "vitest.mjs"),
    "run",
    "test/kill",
    ...(given.only === undefined ? [] : ["-t", given.only]),
  ],
  { cwd: inRepo("."), stdio: "inherit", env: { ...process.env, NEMOSAIC_KILLS: kills, NEMOSAIC_KILL_SEED: seed } },
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
