// npm run test:slurm: a one-machine Slurm cluster on loopback runs the shipped array jobs, with a task killed and
// requeued, and the merged pool is compared with that of a single run, byte for byte.
import "./setup/node-version.mjs";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ensureBuild } from "./setup/build.mjs";
import { inRepo } from "./setup/places.mjs";

const tasks = 4;
const began = Date.now();
const daemons = [];
const main = inRepo("dist", "cli", "main.js");
const model = inRepo("test", "fixtures", "tiny-clip", "model");

const lack = lackOf();
if (lack !== undefined) {
  say(`did not run: ${lack}`);
  process.exit(0);
}
await ensureBuild();
const place = mkdtempSync(join(tmpdir(), "nemosaic-slurm-"));
chmodSync(place, 0o755);
try {
  await startCluster();
  await compareRuns();
  say("passed: the merged pool equals the single-run pool byte for byte");
} catch (error) {
  say(`failed: ${error.message}`);
  for (const name of ["slurmctld.log", "slurmd.log", "munged.log"]) {
    const file = join(place, name);
    if (existsSync(file)) say(`-- end of ${name}\n${readFileSync(file, "utf8").split("\n").slice(-25).join("\n")}`);
  }
  process.exitCode = 1;
} finally {
  for (const { child } of daemons.reverse()) child.kill("SIGTERM");
  await Promise.all(daemons.map(({ ended }) => Promise.race([ended, pause(5000)])));
  for (const { child } of daemons) child.kill("SIGKILL");
  rmSync(place, { recursive: true, force: true });
}

function lackOf() {
  if (process.platform !== "linux") return "Slurm runs on Linux";
  if (process.getuid() !== 0) return "starting a cluster by hand takes root";
  const missing = ["slurmctld", "slurmd", "munged"].filter((name) => which(name) === undefined);
  if (missing.length === 0) return undefined;
  if (process.env.NEMOSAIC_NO_INSTALL === "1")
    return `there is no ${missing.join(", ")} and NEMOSAIC_NO_INSTALL is set`;
  if (which("apt-get") === undefined) return `there is no ${missing.join(", ")} and no apt-get to install it`;
  say("installing slurm-wlm and munge");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update", "-qq"], { stdio: "ignore", env });
  const done = spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "slurm-wlm", "munge"], {
    encoding: "utf8",
    env,
  });
  if (done.status === 0) return undefined;
  return `apt-get could not install slurm-wlm and munge: ${done.stderr.trim().split("\n").at(-1)}`;
}

async function startCluster() {
  const host = hostname().split(".")[0];
  const key = join(place, "munge.key");
  writeFileSync(key, Buffer.from(createHash("sha512").update(`${place} ${process.pid}`).digest()), { mode: 0o400 });
  const socket = join(place, "munge.socket");
  start("munged", [
    "--foreground",
    "--force",
    `--key-file=${key}`,
    `--socket=${socket}`,
    `--pid-file=${join(place, "munged.pid")}`,
    `--log-file=${join(place, "munged.log")}`,
    `--seed-file=${join(place, "munged.seed")}`,
  ]);
  await until("munged answers", () => existsSync(socket));
  const [controller, node] = [await freePort(), await freePort()];
  mkdirSync(join(place, "state"));
  mkdirSync(join(place, "spool"));
  writeFileSync(
    join(place, "slurm.conf"),
    `ClusterName=nemosaic
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${socket}
CredType=cred/munge
SlurmctldPort=${controller}
SlurmdPort=${node}
StateSaveLocation=${join(place, "state")}
SlurmdSpoolDir=${join(place, "spool")}
SlurmctldPidFile=${join(place, "slurmctld.pid")}
SlurmdPidFile=${join(place, "slurmd.pid")}
SlurmctldLogFile=${join(place, "slurmctld.log")}
SlurmdLogFile=${join(place, "slurmd.log")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
JobRequeue=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
KillWait=2
MinJobAge=1200
NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=30:00 State=UP
`,
  );
  start("slurmctld", ["-D", "-f", join(place, "slurm.conf")]);
  start("slurmd", ["-D", "-f", join(place, "slurm.conf")]);
  await until("the node is idle", () => /idle/.test(slurm("sinfo", ["-h", "-o", "%T"]).stdout), 60_000);
  say(`a cluster of one machine runs: ${slurm("sinfo", ["-h", "-o", "node %N, %c CPUs, %T"]).stdout.trim()}`);
}

async function compareRuns() {
  const scenes = join(place, "scenes");
  nemosaic(place, ["scenes", scenes, "--count", "300", "--quiet"]);
  nemosaic(place, [
    "import",
    "refer",
    join(scenes, "refer", "scenes"),
    "--images",
    join(scenes, "images"),
    "--pool",
    "single/pool",
    "--quiet",
  ]);
  cpSync(join(place, "single"), join(place, "array"), { recursive: true });
  nemosaic(join(place, "single"), ["embed", "pool", "--model", model, "--threads", "1", "--quiet"]);
  nemosaic(join(place, "single"), ["mine", "pool", "--depth", "64", "--threads", "1", "--quiet"]);
  nemosaic(join(place, "single"), ["tiles", "pool", "--size", "96", "--quiet"]);
  say("a single run embedded and mined its pool and made its tiles");

  const cwd = join(place, "array");
  const embed = submit(cwd, [`--array=1-${tasks}`, inRepo("examples", "slurm", "embed.sbatch"), "pool", model]);
  const victim = `${embed}_2`;
  await until(`task ${victim} runs`, () => stateOf(victim) === "RUNNING", 120_000);
  await until(
    `task ${victim} has begun its part`,
    () => existsSync(join(cwd, "pool", "embeddings", "model", "parts", `1-of-${tasks}`)),
    120_000,
  );
  kill(`${join(cwd, "pool")}`, victim);
  const merge = submit(cwd, [`--dependency=afterok:${embed}`, inRepo("examples", "slurm", "merge.sbatch"), "pool"]);
  await finished(embed);
  await finished(merge);
  const log = readFileSync(join(cwd, `nemosaic-embed-${embed}_2.log`), "utf8");
  if (!/start 1 on/.test(log)) throw new Error(`expected the log of ${victim} to tell of a second start, got:\n${log}`);
  say(`-- log of the task that was killed and requeued\n${log.trimEnd()}`);

  const mine = submit(cwd, [
    `--array=0-${tasks - 1}`,
    inRepo("examples", "slurm", "mine.sbatch"),
    "pool",
    "--depth",
    "64",
  ]);
  await until(`task ${mine}_1 runs`, () => stateOf(`${mine}_1`) === "RUNNING", 120_000);
  slurm("scontrol", ["requeue", `${mine}_1`]);
  say(`task ${mine}_1 was ended and requeued by scontrol`);
  const joined = submit(cwd, [`--dependency=afterok:${mine}`, inRepo("examples", "slurm", "merge.sbatch"), "pool"]);
  await finished(mine);
  await finished(joined);

  const tiles = submit(cwd, [
    `--array=5-${2 * tasks + 3}:2`,
    inRepo("examples", "slurm", "tiles.sbatch"),
    "pool",
    "--size",
    "96",
  ]);
  const added = submit(cwd, [`--dependency=afterok:${tiles}`, inRepo("examples", "slurm", "merge.sbatch"), "pool"]);
  await finished(tiles);
  await finished(added);
  say(
    nemosaic(cwd, ["merge", "pool"]).trim() === "no parts to merge"
      ? "a second merge had nothing to do"
      : fail("a second merge did something"),
  );

  const [one, other] = [snapshot(join(place, "single", "pool")), snapshot(join(cwd, "pool"))];
  const names = [...new Set([...one.keys(), ...other.keys()])].sort();
  const different = names.filter((name) => one.get(name) !== other.get(name));
  for (const name of names)
    say(`  ${(one.get(name) ?? "missing").slice(0, 16)}  ${(other.get(name) ?? "missing").slice(0, 16)}  ${name}`);
  if (names.length < 10) throw new Error(`expected a pool of many files, got ${names.length}`);
  if (different.length > 0) throw new Error(`these files differ: ${different.join(", ")}`);
}

/** Kills the processes of a task with SIGKILL, then has Slurm start it again. */
function kill(pool, task) {
  const found = readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return (
        environment.includes(`SLURM_ARRAY_JOB_ID=${task.split("_")[0]}\0`) &&
        environment.includes(`SLURM_ARRAY_TASK_ID=${task.split("_")[1]}\0`)
      );
    } catch {
      return false;
    }
  });
  slurm("scontrol", ["requeuehold", task]);
  for (const pid of found) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // ended in between
    }
  }
  slurm("scontrol", ["release", task]);
  say(`task ${task} of "${relative(place, pool)}" was killed (SIGKILL to ${found.length} processes) and requeued`);
}

function submit(cwd, args) {
  const done = slurm("sbatch", ["--parsable", ...args], { cwd, env: { NEMOSAIC: wrapper(), HF_HUB_OFFLINE: "1" } });
  if (done.status !== 0) throw new Error(`sbatch ${args.join(" ")}: ${done.stderr.trim()}`);
  say(
    `submitted ${args.map((arg) => (relative(inRepo("."), arg).startsWith("examples") ? relative(inRepo("."), arg) : arg)).join(" ")} as job ${done.stdout.trim()}`,
  );
  return done.stdout.trim();
}

/** The command as the jobs call it. */
function wrapper() {
  const path = join(place, "nemosaic");
  if (!existsSync(path)) writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`, { mode: 0o755 });
  return path;
}

async function finished(job) {
  await until(
    `job ${job} ends`,
    () => {
      const states = statesOf(job);
      const bad = states.find((state) => /FAILED|CANCELLED|TIMEOUT|NODE_FAIL/.test(state));
      if (bad !== undefined) {
        const logs = readdirSync(join(place, "array")).filter((name) => name.includes(`-${job}`));
        throw new Error(
          `job ${job}: ${states.join(", ")}\n${logs.map((name) => `-- ${name}\n${readFileSync(join(place, "array", name), "utf8")}`).join("\n")}`,
        );
      }
      return states.length > 0 && states.every((state) => state === "COMPLETED");
    },
    300_000,
  );
  say(`job ${job}: ${statesOf(job).length} task(s), all COMPLETED`);
}

function statesOf(job) {
  return [...slurm("scontrol", ["show", "job", job]).stdout.matchAll(/JobState=(\w+)/g)].map(([, state]) => state);
}

function stateOf(task) {
  return statesOf(task)[0];
}

function slurm(command, args, { cwd = place, env = {} } = {}) {
  return spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, SLURM_CONF: join(place, "slurm.conf"), ...env },
  });
}

function nemosaic(cwd, args) {
  const done = spawnSync(process.execPath, [main, ...args], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
  });
  if (done.status !== 0) throw new Error(`nemosaic ${args.join(" ")}: ${done.stderr.trim()}`);
  return done.stdout;
}

function start(command, args) {
  const child = spawn(command, args, {
    cwd: place,
    stdio: "ignore",
    env: { ...process.env, SLURM_CONF: join(place, "slurm.conf") },
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  daemons.push({ child, ended });
}

function snapshot(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    files.set(
      relative(folder, path),
      entry.isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "folder",
    );
  }
  return files;
}

async function until(what, isSo, withinMs = 30_000) {
  const start = Date.now();
  while (!isSo()) {
    if (Date.now() - start > withinMs) throw new Error(`expected that ${what} within ${withinMs / 1000} s`);
    await pause(100);
  }
}

async function freePort() {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function which(command) {
  return (process.env.PATH ?? "")
    .split(":")
    .concat("/usr/sbin")
    .map((folder) => join(folder, command))
    .find((path) => existsSync(path));
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function fail(message) {
  throw new Error(message);
}

function say(line) {
  process.stdout.write(`slurm ${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
}
