import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, scratchFolder, smallPool } from "../../../test/small-pool.ts";
import { bandOf } from "../../band/index.ts";
import { imageSize } from "../../codecs/index.ts";
import type { Pool } from "../../pool/index.ts";
import { openRiskEstimate } from "../../risk/index.ts";
import { parseSettings, resolveSettings } from "../../settings/index.ts";
import type {
  CandidateAnswer,
  ChancesAnswer,
  ListColumns,
  MinedInfo,
  MosaicAnswer,
  SampleAnswer,
  StudioInfo,
} from "../page/contract.ts";
import { unpack } from "../page/unpack.ts";
import { type Studio, startStudio } from "./start.ts";

let pool: Pool;
let studio: Studio;
let settingsPath: string;
let pageFolder: string;
let info: StudioInfo;

beforeAll(async () => {
  pool = await smallPool({ images: 14 });
  await mineSmall(pool);
  const folder = await scratchFolder();
  settingsPath = join(folder, "nemosaic.json");
  pageFolder = join(folder, "page");
  await mkdir(join(pageFolder, "assets"), { recursive: true });
  await writeFile(join(pageFolder, "index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(pageFolder, "assets", "a.js"), "1");
  await writeFile(join(folder, "secret.txt"), "secret");
  studio = await startStudio({
    pool,
    set: ["band.tau=0.8", "band.tauImage=null", "band.k=5"],
    settingsPath,
    port: 0,
    seed: 3,
    pageFolder,
  });
  info = (await (await get("api/info")).json()) as StudioInfo;
});

afterAll(async () => {
  await studio?.close();
  await pool?.close();
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(studio.url + path, { headers });
const unpacked = async <T>(path: string): Promise<T> => unpack(await (await get(path)).arrayBuffer()) as T;
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(studio.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-nemosaic-token": info.token, ...headers },
    body: JSON.stringify(body),
  });

/** A request as written, which fetch would tidy up: its path and Host header stay. */
function raw(path: string, headers: Record<string, string>, method = "GET"): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(studio.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => {
        text += part.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end();
  });
}

describe("the studio's guard", () => {
  it("listens on loopback only and answers to its own names", async () => {
    const { port, hostname } = new URL(studio.url);
    expect(hostname).toBe("127.0.0.1");
    expect((await raw("/api/info", { host: `127.0.0.1:${port}` })).status).toBe(200);
    expect((await raw("/api/info", { host: `localhost:${port}` })).status).toBe(200);
  });

  it("refuses a foreign Host, as of a name that was made to resolve to loopback", async () => {
    const { port } = new URL(studio.url);
    for (const host of [
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:${Number(port) + 1}`,
      `127.0.0.1.evil.example:${port}`,
    ])
      expect((await raw("/api/info", { host })).status, host).toBe(403);
  });

  it("refuses foreign origins and other sites' pictures, but takes a link to the page", async () => {
    expect((await get("api/info", { origin: "http://evil.example" })).status).toBe(403);
    expect((await get("api/info", { origin: "null" })).status).toBe(403);
    expect((await get("view/0", { "sec-fetch-site": "cross-site" })).status).toBe(403);
    // fetch would set its own mode
    const link = { host: new URL(studio.url).host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    expect((await raw("/", link)).status).toBe(200);
    expect((await raw("/api/info", link)).status).toBe(403);
  });

  it("writes for JSON with this start's token only", async () => {
    const body = { expression: 0, image: 5, verdict: "false-negative" };
    expect((await post("api/judgement", body, { "x-nemosaic-token": "guess" })).status).toBe(403);
    expect((await post("api/judgement", body, { "x-nemosaic-token": "" })).status).toBe(403);
    expect((await post("api/judgement", body, { "content-type": "text/plain" })).status).toBe(403);
    expect((await post("api/judgement", body, { origin: "http://evil.example" })).status).toBe(403);
    expect((await raw("/api/judgement", { host: new URL(studio.url).host }, "DELETE")).status).toBe(403);
    await expect(readFile(join(pool.folder, "judgements.jsonl"))).rejects.toThrow(/ENOENT/);
  });

  it("sets a policy that lets nothing foreign in, on errors too", async () => {
    for (const path of ["", "api/info", "api/nothing", "thumbnail/0"]) {
      const policy = (await get(path)).headers.get("content-security-policy") ?? "";
      expect(policy, path).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(policy).not.toMatch(/https?:|\*/);
    }
  });

  it("serves nothing outside the page's folder and the pool", async () => {
    const host = new URL(studio.url).host;
    for (const path of [
      "/../secret.txt",
      "/..%2fsecret.txt",
      "/assets/%2e%2e/%2e%2e/secret.txt",
      "/%2fetc%2fhosts.txt",
      "/a%00.txt",
    ]) {
      const answer = await raw(path, { host });
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expect(answer.text, path).not.toMatch(/secret$/);
    }
    for (const row of ["-1", "14", "1e3", "0x1", "..%2f..", "99999999999"]) {
      expect((await get(`thumbnail/${row}`)).status, row).toBe(404);
      expect((await get(`api/expression/${row}`)).status === 404 || row === "14", row).toBe(true);
    }
  });
});

describe("the studio's pictures", () => {
  const imageFile = (row: number) => join(pool.folder, "..", "images", pool.imageName(row));
  const swapped = async (row: number, put: (path: string) => Promise<void>): Promise<Response[]> => {
    const path = imageFile(row);
    const bytes = await readFile(path);
    await rm(path);
    await put(path);
    try {
      return [await get(`thumbnail/${row}`), await get(`view/${row}`)];
    } finally {
      await rm(path);
      await writeFile(path, bytes);
    }
  };

  it("refuses an image that became a link out of the pool's images", async () => {
    const outside = join(await scratchFolder(), "private.png");
    await copyFile(imageFile(9), outside);
    for (const answer of await swapped(9, (path) => symlink(outside, path))) {
      expect(answer.status).toBe(403);
      expect(answer.headers.get("content-type")).toMatch(/json/);
    }
    expect((await get("thumbnail/9")).status).toBe(200);
  });

  it("refuses to decode an image of 900 million pixels in a file of some kilobytes", async () => {
    const huge = Buffer.from(await readFile(imageFile(10)));
    huge.writeUInt32BE(30_000, 16); // IHDR: width, height
    huge.writeUInt32BE(30_000, 20);
    huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29);
    for (const answer of await swapped(10, (path) => writeFile(path, huge))) {
      expect(answer.status).toBe(403);
      expect(((await answer.json()) as { error: string }).error).toMatch(/pixels/);
    }
  });

  it("says which image is damaged or gone", async () => {
    for (const answer of await swapped(11, (path) => writeFile(path, "no picture"))) {
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { error: string }).error).toContain(pool.imageName(11));
    }
  });
});

describe("the studio's answers", () => {
  it("gives the list in columns", async () => {
    const list = await unpacked<ListColumns>("api/expressions");
    expect(new TextDecoder().decode(list.texts).split("\n")).toEqual([...pool.expressions.sent]);
    expect(Array.from(list.ref)).toEqual(Array.from(pool.expressions.ref));
    expect(Array.from(list.split, (code) => list.splits[code])).toEqual([...pool.refs.split]);
    expect(list.categories[list.category[0]!]).toBe("kind0");
    expect(Array.from(list.targets)).toEqual(Array.from(list.ref.slice(0, pool.refs.count), () => 1));
    expect(Array.from(list.similar).every((count) => count === 1)).toBe(true); // two refs of one kind an image
  });

  it("gives candidates that the page bands as training does", async () => {
    const mined = (await unpacked<MinedInfo>("api/mined?mined=default")).scores;
    const { row, context } = await unpacked<CandidateAnswer>("api/candidates/7?mined=default");
    const settings = resolveSettings(parseSettings({ band: { tau: 0.6, tauImage: 0.7, k: 3 } }, "the test"), mined);
    const band = bandOf(row, context, settings);
    expect(band.size).toBeGreaterThan(0);
    for (let at = 0; at < band.size; at++) expect(row.t2i[band.survivors[at]!]).toBeLessThanOrEqual(0.6);
    const sizes = await (
      await get(`api/bands?${new URLSearchParams({ settings: JSON.stringify(settings) })}`)
    ).arrayBuffer();
    expect(new Uint16Array(sizes).length).toBe(pool.expressions.count);
    expect(new Uint16Array(sizes)[7]).toBe(band.size);
  });

  it("gives the chances of false negatives of the sample, in its order, in parts", async () => {
    const sample = await unpacked<SampleAnswer>("api/sample?mined=default");
    expect(sample.answers.length).toBe(sample.total);
    const estimate = await openRiskEstimate(pool);
    const all: Float32Array[] = [];
    while (all.length < sample.answers.length)
      all.push(...(await unpacked<ChancesAnswer>(`api/chances?mined=default&start=${all.length}`)).chances);
    expect(all.length).toBe(sample.answers.length);
    all.forEach((chances, at) => {
      const { expression, row } = sample.answers[at]!;
      expect(Array.from(chances)).toEqual(
        Array.from(row.ids, (image) => Math.fround(estimate.chance(expression, image))),
      );
    });
    expect(Math.max(...all.flatMap((chances) => [...chances]))).toBeGreaterThan(0);
    expect((await get(`api/chances?mined=default&start=${all.length}`)).status).toBe(404);
    expect((await get("api/chances?mined=../../etc")).status).toBeGreaterThanOrEqual(400);
  });

  it("draws mosaics from settings that nobody saved, equal ones for equal questions", async () => {
    const ask = (draw: number, tree: unknown) =>
      unpacked<MosaicAnswer>(
        `api/mosaic/3?${new URLSearchParams({ draw: String(draw), settings: JSON.stringify(tree) })}`,
      );
    const tree = { ...(info.settings.start as object), size: 64 };
    const [first, again, other] = [await ask(0, tree), await ask(0, tree), await ask(1, tree)];
    expect(again).toEqual(first);
    expect(other.images).not.toEqual(first.images);
    expect(first.images.length).toBe(4);
    expect(await imageSize(first.jpeg)).toMatchObject({ width: 64, height: 64, format: "jpeg" });
    const cells = await ask(0, { ...tree, mosaic: { ...parseSettings({}, "the test").mosaic, grid: "3x3" } });
    expect(cells.images.length).toBe(9);
    const wrong = await get(`api/mosaic/3?settings=${encodeURIComponent('{"band":{"kk":1}}')}`);
    expect([wrong.status, ((await wrong.json()) as { error: string }).error]).toEqual([
      400,
      expect.stringMatching(/kk/),
    ]);
  });

  it("makes thumbnails of one size, answered from the browser's copy by ETag", async () => {
    const answer = await get("thumbnail/2");
    expect(await imageSize(new Uint8Array(await answer.arrayBuffer()))).toMatchObject({
      width: 240,
      height: 180,
      format: "webp",
    });
    const again = await get("thumbnail/2", { "if-none-match": answer.headers.get("etag") ?? "" });
    expect(again.status).toBe(304);
    expect(answer.headers.get("etag")).not.toBe((await get("thumbnail/3")).headers.get("etag"));
  });

  it("appends verdicts, which the band respects at once and which can be taken back", async () => {
    const { row } = await unpacked<CandidateAnswer>("api/candidates/0?mined=default");
    const image = row.ids[3]!;
    expect(await (await post("api/judgement", { expression: 0, image, verdict: "false-negative" })).json()).toEqual({
      judged: 1,
    });
    expect((await unpacked<CandidateAnswer>("api/candidates/0?mined=default")).context.judged).toEqual(
      new Set([image]),
    );
    expect(await (await post("api/judgement", { expression: 0, image, verdict: "negative" })).json()).toEqual({
      judged: 0,
    });
    const lines = (await readFile(join(pool.folder, "judgements.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).verdict)).toEqual(["false-negative", "negative"]);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      expression: pool.expressionKey(0),
      image: pool.images.hash[image],
    });
    expect((await post("api/judgement", { expression: 0, image: 999, verdict: "negative" })).status).toBe(404);
    expect((await post("api/judgement", { expression: 0, image, verdict: "maybe" })).status).toBe(400);
  });

  it("saves what differs from the preset, and not over a file that changed", async () => {
    const tree = { ...parseSettings({}, "the test"), mined: "default" };
    const save = (hash: string | null, overwrite = false) =>
      post("api/settings", { tree: { ...tree, band: { ...tree.band, k: 42 } }, hash, overwrite });
    const first = await save(null);
    const { hash, text } = (await first.json()) as { hash: string; text: string };
    expect(JSON.parse(text)).toEqual({ band: { k: 42 } });
    expect(await readFile(settingsPath, "utf8")).toBe(text);
    await writeFile(settingsPath, '{"preset":"random","$schema":"s.json"}');
    expect((await save(hash)).status).toBe(409);
    expect(await readFile(settingsPath, "utf8")).toMatch(/random/);
    const forced = (await (await save(hash, true)).json()) as { text: string };
    expect(JSON.parse(forced.text)).toMatchObject({ $schema: "s.json", preset: "random", band: { k: 42 } });
    expect(parseSettings(JSON.parse(forced.text), "the file")).toEqual({ ...tree, band: { ...tree.band, k: 42 } });
    expect((await post("api/settings", { tree: { band: { k: -1 } }, hash, overwrite: true })).status).toBe(400);
  });

  it("saves a threshold beside the rule of risk so that both are in force when it is read again", async () => {
    const settings = async () => ((await (await get("api/info")).json()) as StudioInfo).settings;
    const save = async (tree: unknown) => (await post("api/settings", { tree, hash: null, overwrite: true })).status;
    await writeFile(settingsPath, "{}");
    const { saved } = (await settings()) as unknown as { saved: { band: object } };
    for (const band of [
      { tau: 0.3 },
      { tau: "auto", prefer: "score" },
      { tau: 0.3, risk: null },
      { ratio: 0.9, k: 7 },
    ]) {
      const tree = { ...saved, band: { ...saved.band, ...band } };
      expect(await save(tree)).toBe(200);
      expect((await settings()).saved).toEqual(tree);
    }
  });

  it("shows each page the file as it is now, and never saves over what it has not read", async () => {
    const settings = async () => ((await (await get("api/info")).json()) as StudioInfo).settings;
    const save = async (tree: unknown, hash: string | null) => (await post("api/settings", { tree, hash })).status;
    // Saved by this page: the next one finds it, without what the command line put over an earlier file.
    await writeFile(settingsPath, '{"band":{"k":42},"mosaic":{"grid":"3x3"}}');
    const first = await settings();
    expect(first.start).toEqual(first.saved);
    expect(first.start).toMatchObject({ band: { k: 42 }, mosaic: { grid: "3x3" } });
    expect(await save({ ...(first.start as object), size: 320 }, first.hash)).toBe(200);
    const second = await settings();
    expect(second.saved).toMatchObject({ band: { k: 42 }, mosaic: { grid: "3x3" }, size: 320 });
    // Edited elsewhere: read by the next page, and safe from one that has not read it.
    await writeFile(settingsPath, '{"band":{"k":7}}');
    expect(await save(second.saved, second.hash)).toBe(409);
    const third = (await (await get("api/settings")).json()) as StudioInfo["settings"];
    expect(third.saved).toMatchObject({ band: { k: 7 }, size: 416 });
    // Damaged: said, with the hash withheld, so that nothing is written over unasked.
    await writeFile(settingsPath, '{"band":{"k":');
    const damaged = await settings();
    expect(damaged).toMatchObject({ hash: null, saved: third.saved, fault: expect.stringMatching(/expected JSON/) });
    expect(await save(damaged.saved, damaged.hash)).toBe(409);
    expect(await readFile(settingsPath, "utf8")).toBe('{"band":{"k":');
    // Removed: the defaults, as training would have them.
    await rm(settingsPath);
    expect(await settings()).toMatchObject({ hash: null, saved: parseSettings({}, "the test") });
    expect((await settings()).fault).toBeUndefined();
  });

  it.skipIf(process.getuid?.() === 0)(
    "says that a pool cannot be written (not run as root, who may write anything)",
    async () => {
      await chmod(pool.folder, 0o555);
      try {
        expect(((await (await get("api/info")).json()) as StudioInfo).readOnly).toMatch(/cannot be written/);
      } finally {
        await chmod(pool.folder, 0o755);
      }
    },
  );
});
