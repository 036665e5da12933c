// npm run evidence [-- OPTIONS]: trains the arms, tests them, counts false negatives, writes docs/evidence.md.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./build.mjs";
import { countDrawn } from "./drawn.mjs";
import { countFalseNegatives } from "./false-negatives.mjs";
import { interpreterOf, torchFacts } from "./interpreter.mjs";
import { ablationArms, coreArms, profiles, rivalArms, sweepArms } from "./profiles.mjs";
import { writeReport } from "./report.mjs";
import { scoreRuns } from "./score.mjs";
import { prepare, pretrain, trainArm, writeWhole } from "./steps.mjs";

const help = `npm run evidence -- [options]

  --out FOLDER     where scenes, runs and logs go (.scratch/evidence)
  --docs FOLDER    where evidence.md and evidence/ go (docs; FOLDER/docs of --out with --smoke)
  --seeds A,B,C    seeds of the runs (0,1,2)
  --arms LIST      core, rivals, ablations, sweeps or names of arms, comma-separated (core)
  --steps N        steps of each training, instead of the profile's
  --jobs N         runs at the same time, a thread each (as many as there are cores)
  --device NAME    cpu or cuda (cuda where torch finds one)
  --model NAME     what mines: as nemosaic embed --model (models/scene-clip)
  --smoke          everything at a tiny size, to see that it runs
  --as-is          train nothing: score and report the runs that are there
  --stop-before S  prepare, count, train, score or report: stop before that step

Run it again to go on where it was stopped.`;

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function main(words) {
  const { values } = parseArgs({
    args: words,
    options: {
      ...Object.fromEntries(
        ["out", "docs", "seeds", "arms", "steps", "jobs", "device", "model", "stop-before"].map((name) => [
          name,
          { type: "string" },
        ]),
      ),
      smoke: { type: "boolean", default: false },
      "as-is": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return process.stdout.write(`${help}\n`);
  const usual = profiles[values.smoke ? "smoke" : "full"];
  const profile = values.steps === undefined ? usual : { ...usual, steps: numbersOf("--steps", values.steps)[0] };
  const out = resolve(values.out ?? join(root, ".scratch", "evidence"));
  const docs = resolve(values.docs ?? (values.smoke ? join(out, "docs") : join(root, "docs")));
  const seeds = numbersOf("--seeds", values.seeds ?? (values.smoke ? "0" : "0,1,2"));
  const jobs = Math.max(1, numbersOf("--jobs", values.jobs ?? String(cpus().length))[0]);
  const model = modelOf(values.model ?? profile.model);
  const steps = ["prepare", "count", "train", "score", "report"];
  const last = values["stop-before"] === undefined ? steps.length : steps.indexOf(values["stop-before"]);
  if (last < 0) throw new Error(`expected --stop-before ${steps.join(", ")}, got ${values["stop-before"]}`);
  const interpreter = interpreterOf();
  const torch = torchFacts(interpreter);
  const options = { interpreter, device: values.device ?? (torch.cuda ? "cuda" : "cpu") };

  mkdirSync(out, { recursive: true });
  keepToOneExperiment(out, { profile, model: values.model ?? profile.model, device: options.device });
  const says = teller();
  if (last < 1) return;
  says("scenes, pools, mining");
  await prepare(out, profile, model);
  if (last < 2) return;
  const counted = join(out, "false-negatives.json");
  if (!existsSync(counted)) {
    says("false negatives");
    const found = await countFalseNegatives(join(out, "pool-base"), join(out, "base"), {
      expressions: profile.expressions,
    });
    writeWhole(counted, `${JSON.stringify(found, undefined, 1)}\n`);
  }
  const falseNegatives = JSON.parse(readFileSync(counted, "utf8"));
  if (last < 3) return;
  const arms = armsOf(values.arms ?? "core", falseNegatives.scale, epochsOf(out, profile));
  says("pretraining the image tower");
  await pretrain(out, profile, options);
  const began = Date.now();
  if (!values["as-is"]) await trainAll(out, profile, arms, seeds, jobs, options, says);
  const clock = addedUp(join(out, "clock.json"), (Date.now() - began) / 1000);
  if (last < 4) return;
  says("scoring");
  const scored = await scoreRuns(out, arms, seeds, profile);
  // What was left out (--as-is) is not reported either.
  const trained = arms.filter(({ name }) => scored.runs.some(({ arm }) => arm === name));
  const results = {
    format: "nemosaic-evidence",
    version: 1,
    profile,
    model: values.model ?? profile.model,
    seeds,
    arms: trained,
    machine: { ...machine(), torch: torch.version, device: options.device, jobs },
    clockSeconds: Math.round(clock),
    counts: countsOf(out),
    drawn: await countDrawn(out, trained, { samples: profile.expressions, size: profile.size }),
    ...scored,
  };
  writeWhole(join(out, "results.json"), `${JSON.stringify(results, undefined, 1)}\n`);
  if (last < 5) return;
  await writeReport(docs, results, falseNegatives);
  says(`${join(docs, "evidence.md")} is written`);
}

/** Runs all arms and seeds, `jobs` at a time: seed by seed, so that a stopped experiment has whole rounds. */
async function trainAll(out, profile, arms, seeds, jobs, options, says) {
  const waiting = seeds.flatMap((seed) => arms.map((arm) => ({ arm, seed })));
  const total = waiting.length;
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      says(`${next.arm.name}, seed ${next.seed} (${total - waiting.length} of ${total})`);
      await trainArm(out, profile, next.arm, next.seed, options).catch((error) => {
        waiting.length = 0; // what is under way ends; nothing new begins behind an error
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

/** Seconds by the clock over all calls of an experiment; those of a call that was killed are not known. */
function addedUp(path, seconds) {
  const sum = seconds + (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).seconds : 0);
  writeWhole(path, `${JSON.stringify({ seconds: sum })}\n`);
  return sum;
}

/** How often training goes over its refs; an epoch is of whole batches. */
function epochsOf(out, { steps, batchSize }) {
  return steps / Math.floor(countsOf(out).train.refs / batchSize);
}

function armsOf(words, scale, epochs) {
  const ablations = ablationArms(epochs);
  const sweeps = sweepArms(scale.tauShares ?? []);
  const groups = { core: coreArms, rivals: rivalArms, ablations, sweeps };
  const known = [...coreArms, ...rivalArms, ...ablations, ...sweeps];
  const chosen = words.split(",").flatMap((word) => {
    const found = groups[word] ?? known.filter(({ name }) => name === word);
    if (found.length === 0)
      throw new Error(
        `expected core, rivals, ablations, sweeps or ${known.map(({ name }) => name).join(", ")}, got ${word}`,
      );
    return found;
  });
  // Gains are over "none", so it always belongs to them.
  return [...new Set([coreArms[0], ...chosen])];
}

/** A folder holds one experiment: results of other sizes or miners must not mix. */
function keepToOneExperiment(out, facts) {
  const path = join(out, "experiment.json");
  const now = `${JSON.stringify(facts, undefined, 1)}\n`;
  if (!existsSync(path)) return writeWhole(path, now);
  if (readFileSync(path, "utf8") !== now) {
    throw new Error(`${out} holds an experiment of another size, model or device: choose another --out, or remove it`);
  }
}

/** A name as it is, a folder of the checkout as its path. */
function modelOf(name) {
  const folder = join(root, "models", name);
  return !isAbsolute(name) && existsSync(folder) ? folder : name;
}

function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    node: process.version,
    loadAtTheEnd: Math.round(loadavg()[0] * 100) / 100,
  };
}

function countsOf(out) {
  const of = (name) => JSON.parse(readFileSync(join(out, name, "scenes.json"), "utf8")).counts;
  return Object.fromEntries(
    ["base", "train", "test"].map((name) => {
      const { images, refs, sentences, annotations } = of(name);
      return [name, { images, refs, sentences, annotations }];
    }),
  );
}

function numbersOf(name, text) {
  const numbers = text.split(",").map(Number);
  if (text.trim() === "" || numbers.some((value) => !Number.isInteger(value) || value < 0))
    throw new Error(`expected whole numbers for ${name}, got ${text}`);
  return numbers;
}

function teller() {
  const began = Date.now();
  return (text) => process.stdout.write(`${String(Math.round((Date.now() - began) / 1000)).padStart(6)} s  ${text}\n`);
}
