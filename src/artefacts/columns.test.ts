import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeNpy } from "../codecs/index.ts";
import {
  type Column,
  finishSwap,
  gatherRows,
  makeAside,
  openColumns,
  openStaging,
  removeWorkOf,
  type Staging,
} from "./index.ts";

let place = "";
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "nemosaic-artefact-"));
});
afterEach(() => rm(place, { recursive: true, force: true }));

const rows = 10;
const columns: readonly Column[] = [
  { file: "ids.npy", dtype: "int32", shape: [rows, 2] },
  { file: "risk.npy", dtype: "uint8", shape: [rows, 3] },
  { file: "half.npy", dtype: "float16", shape: [rows] },
];
/** What row r of each column holds. */
const blocks = (start: number, count: number) => [
  Int32Array.from({ length: count * 2 }, (_, at) => 100 * (start + (at >> 1)) + (at & 1)),
  Uint8Array.from({ length: count * 3 }, (_, at) => 10 * (start + Math.floor(at / 3)) + (at % 3)),
  Uint16Array.from({ length: count }, (_, at) => start + at),
];
const open = (staging: Staging, key = "a") => openColumns<string>(staging, { name: "set", key, rows, columns });

/** Makes steps of 3 rows until `until`, as a run that is killed there. */
async function makeUntil(until: number, key = "a"): Promise<{ from: number; notes: readonly string[] }> {
  const staging = await openStaging(place, "set");
  const writer = await open(staging, key);
  const [from, before] = [writer.done, [...writer.notes]];
  while (writer.done < until) {
    const count = Math.min(3, rows - writer.done);
    await writer.write(blocks(writer.done, count), { notes: [`step at ${writer.done}`] });
  }
  await writer.close();
  if (until === rows) {
    writeFileSync(staging.path("set.json"), "{}");
    await staging.commit(["set.json"]);
  }
  return { from, notes: before };
}

const contents = (file: string) => decodeNpy(readFileSync(join(place, file)));

function expectWhole(): void {
  for (const [at, { file, dtype, shape }] of columns.entries()) {
    const found = contents(file);
    expect(found).toMatchObject({ dtype, shape });
    expect(found.data).toEqual(blocks(0, rows)[at]);
  }
  expect(readdirSync(place).sort()).toEqual(["half.npy", "ids.npy", "risk.npy", "set.json"]);
}

describe("columns of an artefact", () => {
  it("appear whole, of any type, and go on behind the last step that an earlier run journalled", async () => {
    expect(await makeUntil(6)).toEqual({ from: 0, notes: [] });
    expect(readdirSync(place)).toEqual([".partial-set"]);
    expect(await makeUntil(rows)).toEqual({ from: 6, notes: ["step at 0", "step at 3"] });
    expectWhole();
  });

  it("start over under another key, and where a column is gone, cut short, or the journal says what cannot be", async () => {
    const work = join(place, ".partial-set");
    const journal = join(work, "set.journal");
    for (const spoil of [
      () => rm(join(work, "risk.npy")),
      () => truncateSync(join(work, "ids.npy"), 150),
      () => writeFileSync(journal, readFileSync(journal, "utf8").replace('"rows":3', '"rows":11')),
      () => writeFileSync(journal, "null\n"),
    ]) {
      await makeUntil(6);
      await spoil();
      expect((await makeUntil(rows)).from).toBe(0);
      expectWhole();
      for (const file of readdirSync(place)) await rm(join(place, file));
    }
    await makeUntil(6);
    expect((await makeUntil(rows, "b")).from).toBe(0);
    expectWhole();
  });

  it("do not count a line that a kill cut short, nor what follows it", async () => {
    await makeUntil(6);
    const journal = join(place, ".partial-set", "set.journal");
    truncateSync(journal, readFileSync(journal).length - 4);
    expect((await makeUntil(rows)).from).toBe(3);
    expectWhole();
  });

  it("take rows in any order, and can be put into another", async () => {
    const staging = await openStaging(place, "set");
    const one: Column = { file: "one.npy", dtype: "float32", shape: [5, 2] };
    const writer = await openColumns(staging, { name: "one", key: "k", rows: 5, columns: [one] });
    await writer.write([Float32Array.from([4, 4, 0, 0, 1, 1])], { at: Int32Array.of(4, 0, 1) });
    await writer.write([Float32Array.from([3, 3, 2, 2])], { at: Int32Array.of(3, 2) });
    expect(writer.done).toBe(5);
    await writer.close();
    const path = staging.path("one.npy");
    expect([...decodeNpy(readFileSync(path)).data]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    await gatherRows(path, staging.path("other.npy"), Int32Array.of(2, 2, 0));
    expect(decodeNpy(readFileSync(staging.path("other.npy")))).toMatchObject({ shape: [3, 2], dtype: "float32" });
    expect([...decodeNpy(readFileSync(staging.path("other.npy"))).data]).toEqual([2, 2, 2, 2, 0, 0]);
  });
});

describe("a finished artefact", () => {
  it("stays as it was while another is made, and until that is whole", async () => {
    await makeUntil(rows);
    await makeUntil(9, "b");
    for (const file of ["ids.npy", "set.json"]) expect(existsSync(join(place, file))).toBe(true);
    expect(contents("ids.npy").data).toEqual(blocks(0, rows)[0]);
    const failing = makeAside(place, "other", async (staging) => {
      writeFileSync(staging.path("ids.npy"), "half");
      throw new Error("disk full");
    });
    await expect(failing).rejects.toThrow("disk full");
    expect(existsSync(join(place, ".partial-other"))).toBe(false);
    expect(contents("ids.npy").data).toEqual(blocks(0, rows)[0]);
  });

  it("is swapped to the end by whoever comes next, wherever a kill cut the swap", async () => {
    const work = join(place, ".partial-set");
    const stage = async (): Promise<void> => {
      await makeAside(place, "set", async (staging) => {
        for (const file of ["a.npy", "b.npy", "set.json"]) writeFileSync(staging.path(file), `old ${file}`);
        return ["set.json"];
      });
      const staging = await openStaging(place, "set");
      for (const file of ["a.npy", "b.npy", "set.json"]) writeFileSync(staging.path(file), `new ${file}`);
    };
    const cut: (() => Promise<void>)[] = [
      async () => undefined,
      () => rm(join(place, "set.json")),
      async () => {
        await rm(join(place, "set.json"));
        writeFileSync(join(place, "a.npy"), "new a.npy");
        await rm(join(work, "a.npy"));
      },
      async () => {
        for (const file of ["a.npy", "b.npy", "set.json"]) {
          writeFileSync(join(place, file), `new ${file}`);
          await rm(join(work, file));
        }
      },
    ];
    for (const here of cut) {
      await stage();
      await finishSwap(place, "set"); // not committed: nothing to do
      expect(readFileSync(join(place, "set.json"), "utf8")).toBe("old set.json");
      writeFileSync(join(work, "commit.json"), JSON.stringify({ manifests: ["set.json"] }));
      await here();
      await finishSwap(place, "set");
      for (const file of ["a.npy", "b.npy", "set.json"])
        expect(readFileSync(join(place, file), "utf8")).toBe(`new ${file}`);
      expect(existsSync(work)).toBe(false);
    }
  });

  it("makes work under its own key needless, not that under another", async () => {
    await makeUntil(3, "b");
    await removeWorkOf(place, "set", ["a"]);
    expect(existsSync(join(place, ".partial-set"))).toBe(true);
    await removeWorkOf(place, "set", ["a", "b"]);
    expect(existsSync(join(place, ".partial-set"))).toBe(false);
    await removeWorkOf(place, "set", ["a"]);
  });
});
