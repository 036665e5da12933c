import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../codecs/index.ts";
import { importers } from "../../importers/index.ts";
import { hashFile, type Progress } from "../../io/index.ts";
import type { DatasetRecord } from "../../model/index.ts";
import { holds } from "../meaning/judge.ts";
import type { SceneLine } from "./chunk.ts";
import type { ScenesManifest } from "./manifest.ts";
import { writeScenes } from "./write.ts";

const options = { count: 32, seed: 9, multiTarget: 0.5, noTarget: 0.5 };
let root: string;
let first: string;
let manifest: ScenesManifest;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "scenes-"));
  first = join(root, "first");
  manifest = (await writeScenes(first, options)).manifest;
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function filesOf(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name)).sort();
  const hashes = await Promise.all(paths.map((path) => hashFile(path)));
  return new Map(paths.map((path, position) => [path.slice(folder.length + 1), hashes[position] ?? ""]));
}

async function recordsOf(format: string, source: string): Promise<DatasetRecord[]> {
  const importer = importers.find((entry) => entry.name === format);
  const opened = await importer!.open({ source, images: join(first, "images") });
  const records: DatasetRecord[] = [];
  for await (const record of opened.records()) records.push(record);
  return records;
}

describe("writeScenes", () => {
  it("writes what docs/scenes.md says, and nothing else", async () => {
    const names = [...(await filesOf(first)).keys()].filter((name) => !name.startsWith("images/"));
    expect(names).toEqual([
      "README.md",
      "grefs/scenes/grefs(unc).json",
      "grefs/scenes/instances.json",
      "refer/scenes/instances.json",
      "refer/scenes/refs(unc).p",
      "scenes.json",
      "scenes.jsonl",
    ]);
    expect(await readdir(join(first, "images"))).toHaveLength(32);
    const image = await decodeImage(join(first, "images", "scene_000000000001.jpg"));
    expect([image.width, image.height]).toEqual([640, 480]);
  });

  it("is read whole by the REFER importer: no bad record, every count right", async () => {
    const records = await recordsOf("refer", join(first, "refer", "scenes"));
    const count = (type: DatasetRecord["type"]): number => records.filter((record) => record.type === type).length;
    expect(records.filter((record) => record.type === "bad" || record.type === "note")).toEqual([]);
    expect(count("image")).toBe(32);
    expect(count("annotation")).toBe(manifest.counts.annotations);
    expect(count("ref")).toBe(manifest.counts.refs);
    expect(count("expression")).toBe(manifest.counts.sentences);
    const splits = new Set(records.flatMap((record) => (record.type === "ref" ? [record.split] : [])));
    expect(splits).toEqual(new Set(["train", "val", "test"]));
  });

  it("is read whole by the gRefCOCO importer, with several targets and none", async () => {
    const records = await recordsOf("grefcoco", join(first, "grefs", "scenes"));
    expect(records.filter((record) => record.type === "bad")).toEqual([]);
    const targets = records.flatMap((record) => (record.type === "ref" ? [record.annotationIds.length] : []));
    expect(targets.filter((length) => length === 0).length).toBe(manifest.counts.noTargetRefs);
    expect(targets.filter((length) => length > 1).length).toBe(manifest.counts.multiTargetRefs);
    expect(targets.length).toBe(
      (manifest.counts.refs ?? 0) + (manifest.counts.noTargetRefs ?? 0) + (manifest.counts.multiTargetRefs ?? 0),
    );
  });

  it("keeps each scene with its sentences, whose truth can be counted afterwards", async () => {
    const lines = (await readFile(join(first, "scenes.jsonl"), "utf8")).trimEnd().split("\n");
    const scenes = lines.map((line) => JSON.parse(line) as SceneLine);
    expect(scenes.map((line) => line.image_id)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1));
    for (const { scene, refs } of scenes) {
      for (const ref of refs) {
        for (const { logic, text, holds: stored } of ref.sentences) {
          expect(stored).toEqual(ref.object_ids);
          expect(holds(logic, scene)).toEqual(stored);
          expect(holds(text, scene)).toEqual(stored);
        }
      }
    }
  });

  it("gives the same bytes again, in another folder", async () => {
    const second = join(root, "second");
    await writeScenes(second, options);
    expect(await filesOf(second)).toEqual(await filesOf(first));
  });

  it("gives the same first scenes whatever the count", async () => {
    const short = join(root, "short");
    await writeScenes(short, { ...options, count: 7 });
    const [all, few] = await Promise.all([filesOf(first), filesOf(short)]);
    for (const name of [...few.keys()].filter((key) => key.startsWith("images/")))
      expect(few.get(name)).toBe(all.get(name));
    const lines = await readFile(join(first, "scenes.jsonl"), "utf8");
    expect(lines.startsWith(await readFile(join(short, "scenes.jsonl"), "utf8"))).toBe(true);
  });

  it("leaves a whole folder of the same settings alone and refuses others without force", async () => {
    const folder = join(root, "again");
    await writeScenes(folder, { count: 3, seed: 1 });
    const before = await filesOf(folder);
    expect((await writeScenes(folder, { count: 3, seed: 1 })).isReused).toBe(true);
    await expect(writeScenes(folder, { count: 2, seed: 1 })).rejects.toMatchObject({ code: "exists" });
    expect(await filesOf(folder)).toEqual(before);
    const report = await writeScenes(folder, { count: 2, seed: 2, force: true });
    expect(report.isReused).toBe(false);
    expect(await readdir(join(folder, "images"))).toHaveLength(2);
  });

  it("draws again what somebody took away from a whole folder", async () => {
    const folder = join(root, "robbed");
    const wanted = { count: 3, seed: 1 };
    await writeScenes(folder, wanted);
    const before = await filesOf(folder);
    for (const name of ["images/scene_000000000002.jpg", "refer/scenes/instances.json"]) await rm(join(folder, name));
    expect((await writeScenes(folder, wanted)).isReused).toBe(false);
    expect(await filesOf(folder)).toEqual(before);
    expect((await writeScenes(folder, wanted)).isReused).toBe(true);
  });

  it("refuses a folder with something else in it, and touches nothing there", async () => {
    const folder = join(root, "foreign");
    await writeScenes(folder, { count: 1 });
    await rm(join(folder, "scenes.json"));
    await writeFile(join(folder, "thesis.txt"), "mine");
    const before = await filesOf(folder);
    await expect(writeScenes(folder, { count: 2 })).rejects.toMatchObject({ code: "exists" });
    expect(await filesOf(folder)).toEqual(before);
    await writeScenes(folder, { count: 2, force: true });
    expect(await readFile(join(folder, "thesis.txt"), "utf8")).toBe("mine");
  });

  it("goes on after a run that was killed, to the same bytes", async () => {
    const folder = join(root, "killed");
    let advances = 0;
    const killing: Progress = {
      begin: () => ({
        advance: () => {
          if (++advances === 1) throw new Error("killed");
        },
        note: () => undefined,
        end: () => undefined,
      }),
    };
    await expect(writeScenes(folder, options, killing)).rejects.toThrow("killed");
    expect((await readdir(join(folder, "images"))).length).toBeGreaterThanOrEqual(16);
    expect((await readdir(folder)).includes("scenes.json")).toBe(false);
    await writeFile(join(folder, "images", "scene_000000000020.jpg.nemosaic-tmp-1-abcd"), "half");
    await writeScenes(folder, options);
    expect(await filesOf(folder)).toEqual(await filesOf(first));
  });

  it.each([
    [{ count: 0 }, "count"],
    [{ seed: -1 }, "seed"],
    [{ quality: 0 }, "quality"],
    [{ noTarget: 1.5 }, "noTarget"],
    [{ splits: {} }, "splits"],
    [{ workers: 1000 }, "workers"],
    [{ objects: [3, 2] as const }, "objects"],
  ])("refuses %j", async (wrong, word) => {
    await expect(writeScenes(join(root, "never"), wrong)).rejects.toMatchObject({ code: "usage" });
    await expect(writeScenes(join(root, "never"), wrong)).rejects.toThrow(word);
    expect(await readdir(root)).not.toContain("never");
  });
});
