// The steps of the experiment, each of which is left alone where it is done already.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { dist, load, root } from "./build.mjs";
import { runsOf, testsOf } from "./grounds.mjs";
import { loneOptions, sceneSeeds, sceneSplits } from "./profiles.mjs";

const cli = join(dist, "cli", "main.js");

/** Draws the scenes, imports, embeds and mines them, and decodes what training draws; or does so with the data of a ground. */
export async function prepare(out, profile, model, ground) {
  if (ground.source !== undefined) return prepareRefer(out, profile, ground);
  await Promise.all(["base", "train", "test"].map((name) => drawScenes(out, profile, name)));
  await once(out, "mined", async () => {
    // The base scenes, being more, are those on which false negatives are counted.
    await Promise.all(
      ["pool-train", "pool-base"].map(async (pool) => {
        await nemosaic(out, ["embed", pool, "--model", model]);
        await nemosaic(out, ["mine", pool, "--depth", profile.depth, "--t2t"]);
      }),
    );
  });
  await once(out, "tiles", async () => {
    await Promise.all([
      nemosaic(out, ["tiles", "pool-train", "--size", profile.size, "--preset", "random"]),
      nemosaic(out, ["tiles", "pool-base", "--size", profile.size, "--preset", "none"]),
      nemosaic(out, ["tiles", "pool-test", "--size", profile.size, "--preset", "none", "--split", "val"]),
    ]);
  });
  if (ground.name === "lone") await prepareLone(out, profile, model);
}

async function drawScenes(out, profile, name, options = []) {
  await once(out, `scenes-${name}`, async () => {
    const [count, seed, splits] = [profile.scenes[name], sceneSeeds[name], sceneSplits[name]];
    const words = ["--count", count, "--seed", seed, "--splits", splits, "--quality", 80, ...options];
    await nemosaic(out, ["scenes", name, ...words]);
    await nemosaic(out, [
      "import",
      "refer",
      `${name}/refer/scenes`,
      "--images",
      `${name}/images`,
      "--pool",
      `pool-${name}`,
    ]);
  });
}

async function prepareLone(out, profile, model) {
  await drawScenes(out, profile, "lone", loneOptions);
  await once(out, "mined-lone", async () => {
    await nemosaic(out, ["embed", "pool-lone", "--model", model]);
    await nemosaic(out, ["mine", "pool-lone", "--depth", profile.depth, "--t2t"]);
  });
  await once(out, "tiles-lone", () =>
    nemosaic(out, ["tiles", "pool-lone", "--size", profile.size, "--preset", "random"]),
  );
}

async function prepareRefer(out, profile, { name, pool, source, model, keepOneIn }) {
  await once(out, `imported-${name}`, async () => {
    const refer = keepOneIn === undefined ? source.refer : join(out, `refer-${name}`, name);
    if (keepOneIn !== undefined) await thinRefer(source.refer, refer, keepOneIn);
    await nemosaic(out, ["import", "refer", refer, "--images", source.images, "--pool", pool, "--force"]);
  });
  await once(out, `mined-${name}`, async () => {
    await nemosaic(out, ["embed", pool, "--model", model]);
    await nemosaic(out, ["mine", pool, "--depth", profile.depth]);
  });
  await once(out, `tiles-${name}`, async () => {
    await nemosaic(out, ["tiles", pool, "--size", profile.size, "--preset", "random"]);
    await nemosaic(out, ["tiles", pool, "--size", profile.size, "--preset", "none", "--split", "val"]);
  });
}

/** Copies a REFER folder with one in so many of the images to train on, by a hash of their names; all others stay. */
export async function thinRefer(from, to, keepOneIn) {
  const { decodePickle, encodePickle } = await load("codecs/index.ts");
  const { images } = JSON.parse(readFileSync(join(from, "instances.json"), "utf8"));
  const nameOf = new Map(images.map((image) => [image.id, image.file_name]));
  const keeps = (ref) => {
    const hash = createHash("sha256")
      .update(nameOf.get(ref.get("image_id")))
      .digest("hex");
    return ref.get("split") !== "train" || BigInt(`0x${hash}`) % BigInt(keepOneIn) === 0n;
  };
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((each) => each.endsWith(".p"))) {
    const refs = decodePickle(readFileSync(join(from, name)));
    writeFileSync(join(to, name), encodePickle(refs.filter(keeps), { protocol: 2 }));
  }
  copyFileSync(join(from, "instances.json"), join(to, "instances.json"));
}

/** Ranks, for each picture trained on, the sentences that score it best. */
export async function mineSentences(out, profile, ground) {
  await once(out, `sentences-${ground.name}`, async () => {
    const more = ground.source === undefined ? ["--t2t"] : [];
    await nemosaic(out, ["mine", ground.pool, "--depth", profile.depth, ...more, "--sentences"]);
  });
}

/** Pretrains the image tower; that of a ground with its own comes pretrained. */
export async function pretrain(out, profile, options, ground) {
  if (ground.tower !== undefined || existsSync(join(out, "backbone.pt"))) return;
  await python(out, "backbone", options, [
    join(root, "evidence", "backbone.py"),
    ...["pool-base", "base", "--out", "backbone.pt"],
    ...["--steps", profile.backboneSteps, "--size", profile.size, "--width", profile.width],
    ...["--batch-size", profile.batchSize, "--device", options.device],
  ]);
}

/** Whether one arm is trained with one seed, and tested. */
export function isDone(out, arm, seed, ground) {
  const folder = join(out, runsOf(ground), `${arm.name}-${seed}`);
  return existsSync(join(folder, "result.json"));
}

/** Trains and tests one arm with one seed; a run that was stopped goes on. */
export async function trainArm(out, profile, arm, seed, options, ground) {
  const folder = join(runsOf(ground), `${arm.name}-${seed}`);
  if (isDone(out, arm, seed, ground)) return;
  mkdirSync(join(out, folder), { recursive: true });
  writeWhole(
    join(out, folder, "trained-by.json"),
    `${JSON.stringify({ code: commitOf(root), torch: options.torch })}\n`,
  );
  const settings = join(folder, "nemosaic.json");
  writeWhole(join(out, settings), `${JSON.stringify(arm.settings)}\n`);
  const { pool, tower } = ground;
  const [ownSplits, pools] = [true, false].map((isOwn) =>
    testsOf(ground).filter((test) => (test.pool === pool) === isOwn),
  );
  await python(out, `${ground.name}-${arm.name}-${seed}`, options, [
    join(root, "examples", "pytorch", "train.py"),
    ...[pool, "--out", folder, "--augment", arm.augment, "--settings", settings, "--seed", seed],
    ...["--steps", profile.steps, "--batch-size", profile.batchSize, "--size", profile.size, "--width", profile.width],
    ...(tower === undefined ? ["--backbone", "backbone.pt"] : ["--tower", tower]),
    ...["--freeze-backbone", "--learning-rate", profile.learningRate],
    ...["--save-every", profile.saveEvery, "--threads", 1, "--device", options.device],
    ...["--eval-splits", ...ownSplits.map(({ split }) => split)],
    ...(pools.length === 0 ? [] : ["--eval-pools", ...pools.map((each) => `${each.predictions}=${each.pool}`)]),
  ]);
}

/** The commit that a checkout is at, with "+" where it has changes; "unknown" without git. */
function commitOf(folder) {
  const git = (...words) => spawnSync("git", ["-C", folder, ...words], { encoding: "utf8" });
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head.status !== 0) return "unknown";
  return head.stdout.trim() + (git("status", "--porcelain", "--untracked-files=no").stdout === "" ? "" : "+");
}

/** Calls `act` unless the marker `name` says that it was done in this folder, whatever the build. */
export async function once(out, name, act) {
  const marker = join(out, "done", name);
  if (existsSync(marker)) return;
  await act();
  mkdirSync(join(out, "done"), { recursive: true });
  writeWhole(marker, "");
}

export function nemosaic(out, words) {
  return run(out, "prepare", process.execPath, [cli, ...words, "--quiet"], {});
}

function python(out, name, { interpreter }, words) {
  return run(out, name, interpreter, [join(root, "evidence", "child.py"), ...words], {
    OMP_NUM_THREADS: "1",
    NEMOSAIC_COMMAND: `${process.execPath} ${cli}`,
    NEMOSAIC_EVIDENCE_PARENT: String(process.pid),
    PYTHONPATH: join(root, "python"),
    PYTHONUNBUFFERED: "1",
    ...keepMemory,
  });
}

/**
 * glibc keeps what a step frees, in huge pages: asked anew, every large tensor is a thousand page faults. A step on photographs took
 * 0.39 s in place of 0.64 s this way, one on scenes 0.38 in place of 0.41.
 */
const keepMemory = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 33),
  MALLOC_TOP_PAD_: String(2 ** 28),
  GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
};

/** Runs a command in `out`, its output appended to logs/<name>.log. Rejects with the log's last lines. */
function run(out, name, command, words, environment) {
  mkdirSync(join(out, "logs"), { recursive: true });
  const path = join(out, "logs", `${name}.log`);
  const log = openSync(path, "a");
  return new Promise((resolve, reject) => {
    const child = spawn(command, words.map(String), {
      cwd: out,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...environment },
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      closeSync(log);
      if (code === 0) resolve();
      else {
        const tail = readFileSync(path, "utf8").trim().split("\n").slice(-6).join("\n");
        reject(new Error(`${name} ended with ${signal ?? code}; the end of ${path}:\n${tail}`));
      }
    });
  });
}

/** Writes a file whole or not at all. */
export function writeWhole(path, text) {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}
