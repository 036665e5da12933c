// npm run evidence [-- OPTIONS]: trains the arms, tests them, counts false negatives, writes docs/evidence/.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./build.mjs";
import { countDrawn } from "./drawn.mjs";
import { countFalseNegatives } from "./false-negatives.mjs";
import { groundCounts, groundOf } from "./grounds.mjs";
import { installRequirements, interpreterOf, torchFacts } from "./interpreter.mjs";
import {
  falseTests,
  negativeArms,
  prepareNegatives,
  scoreNegatives,
  withEqualShares,
  writeNegatives,
} from "./negative-arms.mjs";
import { ablationArms, coreArms, profiles, proofArms, rivalArms, sweepArms } from "./profiles.mjs";
import { writeProof } from "./proof.mjs";
import { copyRecords, makeRecords, readRecord, recordsOf } from "./records.mjs";
import { writeReport } from "./report.mjs";
import { scoreRuns } from "./score.mjs";
import { isDone, prepare, pretrain, trainArm, writeWhole } from "./steps.mjs";

const help = `npm run evidence -- [options]

  --out FOLDER     where scenes, runs and logs go (.scratch/evidence)
  --docs FOLDER    where evidence/ goes, and evidence.md is renewed (docs; FOLDER/docs of --out with another profile)
  --seeds A,B,C    seeds of the runs (0,1,2)
  --ground NAME    scenes, lone (scenes without similar objects, tested on the same), photos, few (a third
                   of the photographs; both of NEMOSAIC_GROUND) or own (scenes)
  --refer DIR      own data: a REFER folder with splits train and val
  --images DIR     its images
  --arms LIST      core, rivals, ablations, sweeps, proof, unmined (of proof what draws no mined negatives) or names of arms,
                   comma-separated (core; proof on the other grounds); or negatives: false sentences, with tests of their own
  --profile NAME   full, small (pictures of 128 pixels), gpu (a wider tower at 416, 500 steps of 64) or smoke (full)
  --steps N        steps of each training, instead of the profile's
  --minutes N      begin no training N minutes after the start; score and report what there is
  --jobs N         runs at the same time, a thread each (as many as there are cores)
  --device NAME    cpu or cuda (cuda where torch finds one)
  --model NAME     what mines: as nemosaic embed --model (models/scene-clip)
  --install        first bring the experiment's own PyTorch into .cache/evidence-venv (evidence/requirements.txt)
  --smoke          --profile smoke: everything at a tiny size, to see that it runs
  --with FOLDER    also count the runs of other machines, by their records (docs/evidence/runs has the published ones):
                   what is recorded there is not trained again
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
        [
          "out",
          "docs",
          "seeds",
          "ground",
          "refer",
          "images",
          "arms",
          "profile",
          "steps",
          "minutes",
          "jobs",
          "device",
          "model",
          "stop-before",
          "with",
        ].map((name) => [name, { type: "string" }]),
      ),
      smoke: { type: "boolean", default: false },
      "as-is": { type: "boolean", default: false },
      install: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return process.stdout.write(`${help}\n`);
  const isOwn = values.refer !== undefined || values.images !== undefined;
  const isNegatives = /(^|,)(negatives|n-[\w-]+)(,|$)/.test(values.arms ?? "");
  const usualGround = groundOf(values.ground ?? (isOwn ? "own" : "scenes"), values);
  const ground = isNegatives ? { ...usualGround, falseTests: falseTests(usualGround) } : usualGround;
  const size = values.profile ?? (values.smoke ? "smoke" : "full");
  if (!Object.hasOwn(profiles, size))
    throw new Error(`expected --profile ${Object.keys(profiles).join(", ")}, got ${size}`);
  const isSmoke = size === "smoke";
  // A ground's own number of steps goes with our own sizes only.
  const ownSteps = size === "small" && ground.profile !== undefined ? { steps: ground.profile.steps } : {};
  const usual = size === "full" ? { ...profiles.full, ...ground.profile } : { ...profiles[size], ...ownSteps };
  const until =
    values.minutes === undefined ? Infinity : Date.now() + 60_000 * numbersOf("--minutes", values.minutes)[0];
  const profile = values.steps === undefined ? usual : { ...usual, steps: numbersOf("--steps", values.steps)[0] };
  const out = resolve(values.out ?? join(root, ".scratch", "evidence"));
  const docs = resolve(values.docs ?? (size === "full" ? join(root, "docs") : join(out, "docs")));
  const seeds = numbersOf("--seeds", values.seeds ?? (isSmoke ? "0" : "0,1,2"));
  const jobs = Math.max(1, numbersOf("--jobs", values.jobs ?? String(cpus().length))[0]);
  const model = modelOf(values.model ?? profile.model);
  const steps = ["prepare", "count", "train", "score", "report"];
  const last = values["stop-before"] === undefined ? steps.length : steps.indexOf(values["stop-before"]);
  if (last < 0) throw new Error(`expected --stop-before ${steps.join(", ")}, got ${values["stop-before"]}`);
  if (values.install) installRequirements((line) => process.stdout.write(`${line}\n`));
  const interpreter = interpreterOf();
  const torch = torchFacts(interpreter);
  const options = { interpreter, torch: torch.version, device: values.device ?? (torch.cuda ? "cuda" : "cpu") };

  mkdirSync(out, { recursive: true });
  const facts = { profile, model: ground.model ?? values.model ?? profile.model, device: options.device };
  const name = ground.source === undefined ? "experiment" : `experiment-${ground.name}`;
  keepToOneExperiment(
    join(out, `${name}.json`),
    ground.source === undefined ? facts : { ...facts, source: ground.source },
  );
  const says = teller();
  if (last < 1) return;
  says(`${ground.title}: data, pools, mining`);
  await prepare(out, profile, model, ground);
  if (isNegatives) await prepareNegatives(out, profile, model, ground);
  if (last < 2) return;
  // The proof is the same arms on every ground; false negatives are counted for what is tried on scenes alone.
  const wanted = values.arms ?? (ground.name === "scenes" ? "core" : "proof");
  const isProof = isNegatives || ground.name !== "scenes" || /\b(proof|unmined|p-)/.test(wanted);
  const falseNegatives = isProof ? undefined : await falseNegativesOf(out, profile, says);
  if (last < 3) return;
  const counts = await groundCounts(out, ground);
  const epochs = profile.steps / Math.floor(counts.train.refs / profile.batchSize);
  const named = armsOf(wanted, falseNegatives?.scale ?? {}, epochs);
  const arms = isNegatives ? await withEqualShares(out, ground, named) : named;
  const records = join(out, "records");
  if (values.with !== undefined) {
    const from = resolve(values.with);
    if (!existsSync(join(from, recordsOf(ground))))
      throw new Error(`expected records of ${recordsOf(ground)} in --with ${values.with}, which has no such folder`);
    says(`${copyRecords(from, records, ground)} runs are recorded`);
  }
  const began = Date.now();
  if (!values["as-is"]) await trainAll({ out, profile, arms, seeds, jobs, options, says, ground, until });
  const clock = addedUp(join(out, clockOf(ground)), (Date.now() - began) / 1000);
  if (last < 4) return;
  says("scoring");
  await makeRecords(out, arms, seeds, profile, ground);
  if (isNegatives) {
    const scored = await scoreNegatives(out, arms, seeds, profile, ground);
    const { name, title, about } = ground;
    const trained = arms.filter((arm) => scored.tests.some(({ runs }) => runs.some((run) => run.arm === arm.name)));
    const device = options.device;
    const facts = { format: "nemosaic-evidence-negatives", version: 1, ground: { name, title, about }, profile, seeds };
    const results = {
      ...facts,
      arms: trained,
      machine: { ...machine(), torch: torch.version, device, jobs },
      ...scored,
    };
    writeWhole(join(out, `results-negatives-${name}.json`), `${JSON.stringify(results, undefined, 1)}\n`);
    if (last < 5) return;
    copyRecords(records, join(docs, "evidence", "runs"), ground);
    return says(`${writeNegatives(docs, results)} is written`);
  }
  const scored = await scoreRuns(out, arms, seeds, profile, ground);
  // What was left out (--as-is) is not reported either.
  const trained = arms.filter(({ name }) => scored.runs.some(({ arm }) => arm === name));
  const results = {
    format: "nemosaic-evidence",
    version: 1,
    ground: { name: ground.name, title: ground.title, about: ground.about },
    profile,
    model: modelNameOf(ground, values, profile),
    seeds,
    arms: trained,
    machine: { ...machine(), torch: torch.version, device: options.device, jobs },
    clockSeconds: Math.round(clock),
    counts: isProof ? counts : countsOf(out),
    drawn: await countDrawn(out, trained, { samples: profile.expressions, size: profile.size }, ground),
    ...scored,
  };
  const file = isProof ? `results-${ground.name}.json` : "results.json";
  writeWhole(join(out, file), `${JSON.stringify(results, undefined, 1)}\n`);
  if (last < 5) return;
  copyRecords(records, join(docs, "evidence", "runs"), ground);
  const path = isProof ? writeProof(docs, results) : writeReport(docs, results, falseNegatives);
  says(`${path} is written`);
}

function clockOf(ground) {
  return ground.name === "scenes" ? "clock.json" : `clock-${ground.name}.json`;
}

/** How the report names what mined: an id or a preset's name, of a folder its own name only. */
function modelNameOf(ground, values, profile) {
  const name = ground.model ?? values.model ?? profile.model;
  return isAbsolute(name) ? basename(name) : name;
}

async function falseNegativesOf(out, profile, says) {
  const counted = join(out, "false-negatives.json");
  if (!existsSync(counted)) {
    says("false negatives");
    const found = await countFalseNegatives(join(out, "pool-base"), join(out, "base"), {
      expressions: profile.expressions,
    });
    writeWhole(counted, `${JSON.stringify(found, undefined, 1)}\n`);
  }
  return JSON.parse(readFileSync(counted, "utf8"));
}

/** Runs all arms and seeds, `jobs` at a time: seed by seed, so that a stopped experiment has whole rounds. */
async function trainAll({ out, profile, arms, seeds, jobs, options, says, ground, until }) {
  const all = seeds.flatMap((seed) => arms.map((arm) => ({ arm, seed })));
  const isRecorded = ({ arm, seed }) => readRecord(join(out, "records"), ground, arm, seed, profile) !== undefined;
  const waiting = all.filter((run) => !isRecorded(run) && !isDone(out, run.arm, run.seed, ground));
  const total = waiting.length;
  says(`${ground.title}: ${all.length} runs, ${all.length - total} of them done before; to do, in this order:`);
  for (const { arm, seed } of waiting) process.stdout.write(`          ${arm.name}, seed ${seed}\n`);
  if (total > 0) {
    says("pretraining the image tower");
    await pretrain(out, profile, options, ground);
  }
  const began = Date.now();
  let done = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (Date.now() > until) return says(`the time is up: ${waiting.length + 1} runs were not begun`);
      const minutes = done === 0 ? undefined : ((Date.now() - began) / 60_000 / done) * (total - done);
      const left =
        minutes === undefined
          ? ""
          : `, about ${minutes < 90 ? `${Math.ceil(minutes)} min` : `${(minutes / 60).toFixed(1)} h`} left`;
      says(`${next.arm.name}, seed ${next.seed} (${total - waiting.length} of ${total}${left})`);
      await trainArm(out, profile, next.arm, next.seed, options, ground).catch((error) => {
        waiting.length = 0; // what is under way ends; nothing new begins behind an error
        throw error;
      });
      done++;
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

function armsOf(words, scale, epochs) {
  const ablations = ablationArms(epochs);
  const sweeps = sweepArms(scale.tauShares ?? []);
  const proof = proofArms(epochs);
  const unmined = proof.filter(({ needsMined }) => !needsMined);
  const groups = { core: coreArms, rivals: rivalArms, ablations, sweeps, proof, unmined, negatives: negativeArms };
  const known = [...coreArms, ...rivalArms, ...ablations, ...sweeps, ...proof, ...negativeArms.slice(1)];
  const chosen = words.split(",").flatMap((word) => {
    const found = groups[word] ?? known.filter(({ name }) => name === word);
    if (found.length === 0)
      throw new Error(
        `expected core, rivals, ablations, sweeps, proof, unmined, negatives or ${known.map(({ name }) => name).join(", ")}, got ${word}`,
      );
    return found;
  });
  // Gains are over "none", so it always belongs to them.
  return [...new Set([coreArms[0], ...chosen])];
}

/** A folder holds one experiment: results of other sizes or miners must not mix. */
function keepToOneExperiment(path, facts) {
  const now = `${JSON.stringify(facts, undefined, 1)}\n`;
  if (!existsSync(path)) return writeWhole(path, now);
  if (readFileSync(path, "utf8") !== now) {
    throw new Error(
      `${dirname(path)} holds an experiment of another size, model or device: choose another --out, or remove it`,
    );
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
