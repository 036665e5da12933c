// npm run release [-- OPTIONS]: makes a release of the version that the changelog announces; --help says how.
import "./setup/node-version.mjs";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { makeRelease } from "./release/make-release.mjs";

const help = `npm run release -- --dry-run     prints each step, changes nothing
npm run release                  writes the version, runs npm test, packs, builds the wheels, commits and tags

The version is the one of CHANGELOG.md's heading "## X.Y.Z (unreleased)". Nothing is pushed or published; the last lines say how.

  --dry-run           print the steps only
  --without-tests     do not run npm test (it has passed on this commit)
  --date YYYY-MM-DD   the date of the release (default: today)
  --out FOLDER        where the packages go (default: wheels)`;

/** Runs a command in the repository; its output is shown unless it is wanted back. Throws where it fails. */
function run(command, args, { capture = false } = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    stdio: capture ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    maxBuffer: 2 ** 28,
  });
  if (done.status === 0) return done.stdout ?? "";
  const why = done.error?.message ?? (done.stderr?.trim() || `exit status ${done.status}`);
  throw new Error(`${command} ${args.join(" ")}: ${why}`);
}

const root = resolve(import.meta.dirname, "..");
try {
  const { parseArgs } = await import("node:util");
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", short: "h", default: false },
      "dry-run": { type: "boolean", default: false },
      "without-tests": { type: "boolean", default: false },
      date: { type: "string", default: new Date().toISOString().slice(0, 10) },
      out: { type: "string", default: "wheels" },
    },
  });
  if (values.help) process.stdout.write(`${help}\n`);
  else
    makeRelease({
      root,
      date: values.date,
      out: values.out,
      isDry: values["dry-run"],
      withTests: !values["without-tests"],
      run,
      say: (line) => process.stdout.write(`${line}\n`),
    });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code?.startsWith("ERR_PARSE_ARGS") ? 2 : 1;
}
