import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileRooms } from "../../../test/compiled-rooms.ts";
import { mineSmall, scratchFolder, smallSource } from "../../../test/small-pool.ts";
import { silentProgress } from "../../io/index.ts";
import type { DatasetRecord } from "../../model/index.ts";
import { importPool, Mined, minedFolder, Pool } from "../../pool/index.ts";
import { openRiskThreads, type RiskSetup } from "./risk-threads.ts";

/**
 * Estimates in three threads. Fault "kill" ends the program at its `at`-th step, "thread" ends a thread in place of the `at`-th
 * order of pairs that any gets. Says how many threads there were.
 */
const script = `
import { mineRisk } from "./dist/mining/store/risk.js";
import { Mined, Pool } from "./dist/pool/index.js";
const [folder, fault, at] = process.argv.slice(2);
const [steps, totals, orders] = [[], [], []];
let workers = 0;
process.on("worker", (worker) => {
  workers++;
  const send = worker.postMessage;
  worker.postMessage = (...order) =>
    fault === "thread" && orders.push(order) === Number(at) ? void worker.terminate() : send.apply(worker, order);
});
const advance = (label, count) => {
  if (steps.push(label + " " + count) === Number(at) && fault === "kill") process.kill(process.pid, "SIGKILL");
};
const progress = { begin: (label, total) => {
  totals.push(label + " " + total);
  return { advance: (n = 1) => advance(label, n), note() {}, end() {} };
} };
const pool = await Pool.open(folder);
const mined = await Mined.open(folder, "default", pool.manifest.hash);
const options = { name: "default", force: true, progress, threads: 3, pairsPerThread: 1, stepExpressions: 4 };
const error = await mineRisk(pool, mined, options).catch(({ code, message }) => ({ code, message }));
console.log(JSON.stringify({ error, totals, workers }));
`;

describe("threads that estimate risks", () => {
  let compiled = "";
  let pool: Pool;
  let folder = "";
  const files = ["risk.npy", "shows-kind.npy", "risk.json", "shows-kind.json"];
  const bytes = () => files.map((file) => readFileSync(join(folder, file), "hex"));
  const run = (fault = "none", at = 0) => {
    const done = spawnSync(process.execPath, ["run.mjs", pool.folder, fault, String(at)], {
      cwd: compiled,
      encoding: "utf8",
    });
    expect(done.stderr).toBe("");
    return { signal: done.signal, said: done.signal === null ? JSON.parse(done.stdout) : undefined };
  };

  /** A pool whose sentences ask where things lie, and which states no boxes: masks have to be measured. */
  beforeAll(async () => {
    compiled = compileRooms("model", "kernels", "language", "io", "codecs", "artefacts", "pool", "risk", "mining");
    writeFileSync(join(compiled, "run.mjs"), script);
    const place = await scratchFolder();
    const source = await smallSource(place, { images: 14, refsPerImage: 2, valImages: 2 });
    const placed = (record: DatasetRecord): DatasetRecord => {
      if (record.type !== "expression") return record;
      const [image = 0, ref = 0] = record.refId.slice(1).split("-").map(Number);
      const sent = `kind${image % 3} ${["on the left", "at the bottom", "in the middle"][(image + ref) % 3]}`;
      return { ...record, sent };
    };
    const records = async function* () {
      for await (const record of source.records()) yield placed(record);
    };
    const options = { onBad: "fail", pack: false, force: false, progress: silentProgress } as const;
    await importPool(join(place, "pool"), { ...source, records }, options);
    pool = await Pool.open(join(place, "pool"));
    await mineSmall(pool, { depth: 7 });
    folder = minedFolder(pool.folder, "default");
  });
  afterAll(async () => {
    rmSync(compiled, { recursive: true });
    await pool.close();
  });

  it("give the bytes of the caller's thread, a killed run too, and say which thread ended", async () => {
    const whole = bytes();
    const mined = (await Mined.open(pool.folder, "default", pool.manifest.hash))!;
    const risks = new Set(Array.from({ length: pool.expressions.count }, (_, row) => [...mined.row(row).risk!]).flat());
    await mined.close();
    expect([...risks].sort()).toEqual([0, 1]); // places decide

    expect(run("kill", 4).signal).toBe("SIGKILL"); // boxes, three steps of four expressions
    expect(bytes()).toEqual(whole); // what was finished stays
    const { error, totals } = run("thread", 5).said; // four more steps, of which the last may be lost too
    expect(error.code).toBe("internal");
    expect(error.message).toMatch(/^a thread that estimates risks ended with 1: too little memory\? Run it again/);
    expect(totals).toEqual(["boxes of masks 28", "risk 44"]); // twelve of 56 are there
    const { said } = run();
    expect(["risk 32", "risk 28"]).toContain(said.totals[1]);
    expect(said.workers).toBe(3);
    expect(bytes()).toEqual(whole);
  });

  it("fail what is asked of any when one ends, with whatever code, and whatever is asked later", async () => {
    for (const code of [0, 1]) {
      const threads = openRiskThreads(new URL(`data:text/javascript,process.exit(${code})`), {} as RiskSetup, 2);
      const task = () => ({ start: 0, depth: 1, ids: Int32Array.of(0) });
      const asked = [task(), task(), task(), task(), task()].map((each) => threads.estimate(each));
      for (const one of asked) await expect(one).rejects.toThrow(`risks ended with ${code}`);
      await expect(threads.estimate(task())).rejects.toThrow(`risks ended with ${code}`);
      await threads.close();
    }
  });
});
