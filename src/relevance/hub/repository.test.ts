import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../../test/peers.ts";
import { silentProgress } from "../../io/index.ts";
import { openImageTextModel } from "../clip/index.ts";
import { type FakeHub, type FakeRepository, startFakeHub } from "./fake-hub.contract.ts";
import { type HubAccess, hubAccess, hubCacheDir, openHubRepository } from "./index.ts";

const model = join(import.meta.dirname, "../../../test/fixtures/tiny-clip/model");
const commit = "0123456789abcdef0123456789abcdef01234567";
const names = [
  "config.json",
  "preprocessor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "onnx/vision_model.onnx",
  "onnx/text_model.onnx",
];
const big = randomBytes(300_000);
const repository: FakeRepository = {
  id: "org/tiny-clip",
  commit,
  files: { ...Object.fromEntries(names.map((name) => [name, readFileSync(join(model, name))])), "big.bin": big },
  large: ["onnx/vision_model.onnx", "onnx/text_model.onnx", "big.bin"],
};

let cacheDir = "";
let hub: FakeHub;

const access = (more: Partial<HubAccess> = {}): HubAccess =>
  hubAccess({}, { cacheDir, endpoint: hub.endpoint, retryAfterMs: [1, 1], ...more });

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "nemosaic-hub-"));
  hub = await startFakeHub(repository);
});
afterEach(async () => {
  await hub.close();
  await rm(cacheDir, { recursive: true });
});

const root = (): string => join(cacheDir, "models--org--tiny-clip");
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("a model on the hub", () => {
  it("names the dtype that a repository has, and reads the image processor where transformers 5 keeps it", async () => {
    const { "preprocessor_config.json": processor = Buffer.from("{}"), ...others } = repository.files;
    const renamed = Object.entries(others).map(([name, bytes]) => [
      name.replace("_model.onnx", "_model_fp16.onnx"),
      bytes,
    ]);
    const moved = Buffer.from(JSON.stringify({ image_processor: JSON.parse(processor.toString()) as unknown }));
    const files = { ...Object.fromEntries(renamed), "processor_config.json": moved } as FakeRepository["files"];
    await hub.close();
    hub = await startFakeHub({ ...repository, files, large: [] });
    await expect(openImageTextModel("org/tiny-clip", { hub: access() })).rejects.toThrow(
      /in the hub's org\/tiny-clip, found no fp32 model; it has fp16: take --dtype fp16$/,
    );
    const half = await openImageTextModel("org/tiny-clip", { hub: access(), dtype: "fp16" });
    const local = await openImageTextModel(model, { hub: access() });
    expect(half.preprocessing).toEqual(local.preprocessing);
    await Promise.all([half.close(), local.close()]);
  });

  it("is downloaded, opens, and lies in the layout that Python shares", async () => {
    const opened = await openImageTextModel("org/tiny-clip", { hub: access() });
    const local = await openImageTextModel(model, { hub: access() });
    expect(opened.id).toBe("org/tiny-clip");
    expect(opened.hash).toBe(local.hash);
    expect([...(await opened.embedTexts(["red"]))]).toEqual([...(await local.embedTexts(["red"]))]);
    await opened.close();
    await local.close();
    expect(await readFile(join(root(), "refs/main"), "utf8")).toBe(commit);
    const link = join(root(), "snapshots", commit, "onnx/vision_model.onnx");
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    const digest = sha256(repository.files["onnx/vision_model.onnx"]!);
    expect(await readlink(link)).toBe(`../../../blobs/${digest}`);
    expect(
      (await readdir(join(root(), "blobs"))).filter((name) => !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(name)),
    ).toEqual([]);
  });

  it("asks only for the commit the second time, and for nothing offline", async () => {
    await (await openImageTextModel("org/tiny-clip", { hub: access() })).close();
    hub.log.length = 0;
    await (await openImageTextModel("org/tiny-clip", { hub: access() })).close();
    expect(hub.log).toEqual(["HEAD config.json"]);
    hub.log.length = 0;
    await (await openImageTextModel("org/tiny-clip", { hub: access({ offline: true }) })).close();
    expect(hub.log).toEqual([]);
  });

  it("says what to do offline without a copy", async () => {
    await expect(openImageTextModel("org/tiny-clip", { hub: access({ offline: true }) })).rejects.toMatchObject({
      code: "offline",
      message: expect.stringContaining("without --offline"),
    });
    expect(hub.log).toEqual([]);
  });

  it("is taken from the cache, with a note, where the hub is out of reach", async () => {
    await (await openImageTextModel("org/tiny-clip", { hub: access() })).close();
    const notes: string[] = [];
    const progress = {
      begin: () => ({ ...silentProgress.begin("", 0, ""), note: (text: string) => void notes.push(text) }),
    };
    const nowhere = access({ endpoint: "http://127.0.0.1:9" });
    await (await openImageTextModel("org/tiny-clip", { hub: nowhere, progress })).close();
    expect(notes.join()).toContain("out of reach");
    await rm(root(), { recursive: true });
    await expect(openImageTextModel("org/tiny-clip", { hub: nowhere })).rejects.toMatchObject({ code: "network" });
  });

  it("follows a renamed repository and pins a named revision", async () => {
    await hub.close();
    hub = await startFakeHub({ ...repository, renamedFrom: "old/name" });
    const renamed = await openHubRepository("old/name", access(), silentProgress);
    expect(await renamed.get("config.json")).toContain("models--old--name");
    const pinned = await openHubRepository(`org/tiny-clip@${commit}`, access(), silentProgress);
    expect(await pinned.get("config.json")).toContain(commit);
    await expect(openHubRepository("org/tiny-clip@v9", access(), silentProgress)).rejects.toThrow('no revision "v9"');
  });

  it("is found where the hub redirects small files to its own cache", async () => {
    await hub.close();
    hub = await startFakeHub({ ...repository, resolveCache: true });
    await (await openImageTextModel("org/tiny-clip", { hub: access() })).close();
    expect(await readFile(join(root(), "refs/main"), "utf8")).toBe(commit);
  });

  it("names a repository that is not there and a gated one", async () => {
    await expect(openImageTextModel("org/none", { hub: access() })).rejects.toMatchObject({ code: "not-found" });
    await hub.close();
    hub = await startFakeHub({ ...repository, gatedBy: "secret" });
    await expect(openImageTextModel("org/tiny-clip", { hub: access() })).rejects.toThrow("is gated: set HF_TOKEN");
    await expect(openImageTextModel("org/tiny-clip", { hub: access({ token: "other" }) })).rejects.toThrow(
      "accept the model's terms",
    );
    await (await openImageTextModel("org/tiny-clip", { hub: access({ token: "secret" }) })).close();
    expect(hub.leakedTokens).toEqual([]);
  });
});

describe("a transfer", () => {
  const get = async (more?: Partial<HubAccess>): Promise<string | undefined> =>
    (await openHubRepository("org/tiny-clip", access(more), silentProgress)).get("big.bin");

  it("that is cut goes on where it ended, in the same run", async () => {
    hub.cutOnce("big.bin", 100_000);
    const path = await get();
    expect(sha256(readFileSync(path ?? ""))).toBe(sha256(big));
    const [first, second] = hub.log.filter((line) => line.startsWith("STORE"));
    expect(first).toBe("STORE GET big.bin");
    const resumedAt = Number(/bytes=(\d+)-/.exec(second ?? "")?.[1]);
    expect(resumedAt).toBeGreaterThan(0);
    expect(resumedAt).toBeLessThanOrEqual(100_000);
  });

  it("that is cut for good is resumed by the next run", async () => {
    hub.cutOnce("big.bin", 50_000);
    await expect(get({ retryAfterMs: [] })).rejects.toMatchObject({ code: "network" });
    const partial = join(root(), "blobs", `${sha256(big)}.incomplete`);
    const { size } = await stat(partial);
    expect(size).toBeGreaterThan(0);
    await truncate(partial, Math.min(size, 1000));
    hub.log.length = 0;
    expect(sha256(readFileSync((await get()) ?? ""))).toBe(sha256(big));
    expect(hub.log.at(-1)).toBe("STORE GET big.bin bytes=1000-");
  });

  it("with other bytes than announced is refused and leaves nothing", async () => {
    hub.corrupt("big.bin");
    await expect(get()).rejects.toMatchObject({ code: "checksum" });
    expect(await readdir(join(root(), "blobs"))).not.toContain(`${sha256(big)}.incomplete`);
  });

  it("checks small files by git's hash", async () => {
    hub.corrupt("tokenizer.json");
    const opened = await openHubRepository("org/tiny-clip", access(), silentProgress);
    await expect(opened.get("tokenizer.json")).rejects.toMatchObject({ code: "checksum" });
  });

  it("resumed onto another file's bytes is caught by the hash", async () => {
    hub.cutOnce("big.bin", 50_000);
    await expect(get({ retryAfterMs: [] })).rejects.toMatchObject({ code: "network" });
    await writeFile(join(root(), "blobs", `${sha256(big)}.incomplete`), randomBytes(20_000));
    await expect(get()).rejects.toMatchObject({ code: "checksum" });
    expect(sha256(readFileSync((await get()) ?? ""))).toBe(sha256(big));
  });

  it("remembers that a file does not exist", async () => {
    const opened = await openHubRepository("org/tiny-clip", access(), silentProgress);
    expect(await opened.get("onnx/none.onnx")).toBeUndefined();
    hub.log.length = 0;
    expect(await opened.get("onnx/none.onnx")).toBeUndefined();
    expect(hub.log).toEqual([]);
  });

  it("reports every byte once", async () => {
    hub.cutOnce("big.bin", 100_000);
    let bytes = 0;
    const progress = {
      begin: (_label: string, total: number | undefined) => ({
        ...silentProgress.begin("", total, ""),
        advance: (n = 1) => {
          bytes += n;
        },
      }),
    };
    await (await openHubRepository("org/tiny-clip", access(), progress)).get("big.bin");
    expect(bytes).toBe(big.length);
  });
});

describe("the cache's place", () => {
  it("follows the variables of huggingface_hub, first set first", () => {
    const home = { HOME: "/home/a" };
    expect(hubCacheDir(home)).toBe("/home/a/.cache/huggingface/hub");
    expect(hubCacheDir({ ...home, XDG_CACHE_HOME: "/x" })).toBe("/x/huggingface/hub");
    expect(hubCacheDir({ ...home, HF_HOME: "~/hf" })).toBe("/home/a/hf/hub");
    expect(hubCacheDir({ ...home, HF_HOME: "/hf", HF_HUB_CACHE: "/c" })).toBe("/c");
    expect(hubAccess({ HF_ENDPOINT: "https://mirror/", HF_HUB_OFFLINE: "1" })).toMatchObject({
      endpoint: "https://mirror",
      offline: true,
    });
  });

  const hasHub = pythonHas("huggingface_hub");
  it.skipIf(!hasHub)("is read by Python's huggingface_hub", async () => {
    await (await openImageTextModel("org/tiny-clip", { hub: access() })).close();
    const script = `
import sys
from huggingface_hub import hf_hub_download
print(hf_hub_download("org/tiny-clip", "onnx/text_model.onnx", cache_dir=sys.argv[1], local_files_only=True))`;
    expect(runPython(script, [cacheDir]).trim()).toBe(join(root(), "snapshots", commit, "onnx/text_model.onnx"));
  });
});
