import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { hashBytes, hashJson, insidePath, version } from "../../io/index.ts";
import { scoreSummary } from "../../loader/index.ts";
import { type ErrorCode, fail, NemosaicError } from "../../model/index.ts";
import type { Mined, Pool } from "../../pool/index.ts";
import { parseSettings, resolveSettings } from "../../settings/index.ts";
import type { ErrorAnswer, JudgementRequest, SaveRequest, StudioInfo } from "../page/contract.ts";
import { bandSizes } from "./band-sizes.ts";
import { bandContextOf, candidatesOf, type SampleRows, sampleOf, sampleRows } from "./candidates.ts";
import type { Chances } from "./chances.ts";
import { expressionDetail, imageDetail, refsByImage } from "./details.ts";
import { guard } from "./guard.ts";
import type { Judged } from "./judged.ts";
import { keyColumns, listColumns } from "./list-columns.ts";
import type { MinedSets } from "./mined-sets.ts";
import type { Mosaics } from "./mosaics.ts";
import { pack } from "./pack.ts";
import type { Pictures } from "./pictures.ts";
import type { SettingsFile } from "./settings-file.ts";

/** What the routes work with. */
export interface StudioParts {
  readonly pool: Pool;
  readonly mined: MinedSets;
  readonly judged: Judged;
  readonly pictures: Pictures;
  readonly mosaics: Mosaics;
  readonly chances: Chances;
  readonly settings: SettingsFile;
  readonly seed: number;
  /** The evaluator's files, by what the page calls them. */
  readonly evaluation: string | undefined;
  readonly samples: string | undefined;
  /** The folder of the built page. */
  readonly pageFolder: string;
  readonly token: string;
  /** Host headers that are ours; known when the port is. */
  readonly hosts: () => ReadonlySet<string>;
}

const statuses: Partial<Record<ErrorCode, 400 | 403 | 404 | 409 | 413 | 500>> = {
  usage: 400,
  settings: 400,
  "bad-input": 400,
  unsupported: 400,
  refused: 403,
  "not-found": 404,
  exists: 409,
  incomplete: 409,
  locked: 409,
};
const mostBodyBytes = 1 << 20;
/** Chances in one answer: some tenth of a second of work. */
const chanceCells = 16_384;

/** The studio's routes over an open pool. Nothing is read but the pool, the page's own files and the files named at the start. */
export function studioApp(parts: StudioParts): Hono {
  const { pool, mined, judged, pictures, mosaics, chances } = parts;
  const app = new Hono();
  const refsOfImage = lazily(() => refsByImage(pool));
  const list = lazily(() => pack(listColumns(pool)));
  const keys = lazily(() => pack(keyColumns(pool)));
  const samples = new Map<Mined, SampleRows>();
  const sampleFrom = (set: Mined): SampleRows => {
    const rows = samples.get(set) ?? sampleRows(pool, set);
    samples.set(set, rows);
    return rows;
  };

  app.onError((error, context) => {
    const known = error instanceof NemosaicError;
    const answer: ErrorAnswer = { error: error.message, code: known ? error.code : "internal" };
    return context.json(answer, (known ? statuses[error.code] : undefined) ?? 500);
  });
  app.use(guard(parts.hosts, parts.token));
  app.use("/assets/*", compress());

  app.get("/api/info", async (context) => context.json(await infoOf(parts)));
  app.get("/api/settings", async (context) => context.json(await parts.settings.read()));
  app.get("/api/expressions", () => binary(list()));
  app.get("/api/keys", () => binary(keys()));
  app.get("/api/mined", async (context) => binary(pack(await mined.info(nameIn(context.req.query("mined"))))));
  app.get("/api/row", (context) => context.json({ row: pool.expressionRow(context.req.query("key") ?? "") }));
  app.get("/api/expression/:row", (context) =>
    context.json(expressionDetail(pool, rowIn(context.req.param("row"), pool.expressions.count))),
  );
  app.get("/api/image/:row", (context) =>
    context.json(imageDetail(pool, rowIn(context.req.param("row"), pool.images.count), refsOfImage())),
  );
  app.get("/api/candidates/:row", async (context) => {
    const row = rowIn(context.req.param("row"), pool.expressions.count);
    return binary(pack(candidatesOf(pool, await mined.get(nameIn(context.req.query("mined"))), judged, row)));
  });
  app.get("/api/sample", async (context) => {
    const set = await mined.get(nameIn(context.req.query("mined")));
    return binary(pack(sampleOf(pool, set, judged, sampleFrom(set))));
  });
  app.get("/api/chances", async (context) => {
    const name = nameIn(context.req.query("mined"));
    const set = await mined.get(name);
    const { rows } = sampleFrom(set);
    const start = rowIn(context.req.query("start") ?? "0", rows.length);
    const count = Math.max(1, Math.floor(chanceCells / set.manifest.depth));
    return binary(pack({ chances: await chances.of(set, name, rows.subarray(start, start + count)) }));
  });
  app.get("/api/bands", async (context) => {
    const settings = parseSettings(jsonIn(context.req.query("settings")), "the studio's page");
    const set = await mined.get(settings.mined);
    const resolved = resolveSettings(settings, scoreSummary(set));
    const hubs = resolved.band.hubCap === null ? undefined : await mosaics.hubs(settings, judged.version);
    const contextOf = (row: number) => bandContextOf(pool, set, judged, row, hubs);
    return new Response(bandSizes(pool.expressions.count, set, contextOf, resolved), {
      headers: { "content-type": "application/octet-stream" },
    });
  });
  app.get("/api/hubs", async (context) => {
    const tree = jsonIn(context.req.query("settings"));
    return binary(pack({ hubs: (await mosaics.hubs(tree, judged.version)) ?? null }));
  });
  app.get("/api/mosaic/:row", async (context) => {
    const row = rowIn(context.req.param("row"), pool.expressions.count);
    const draw = rowIn(context.req.query("draw") ?? "0", 4096);
    const tree = jsonIn(context.req.query("settings"));
    return binary(pack(await mosaics.draw(row, draw, tree, judged.version)));
  });
  for (const [route, read] of [
    ["thumbnail", (row: number) => pictures.thumbnail(row)],
    ["view", (row: number) => pictures.view(row)],
  ] as const) {
    app.get(`/${route}/:row`, async (context) => {
      const row = rowIn(context.req.param("row"), pool.images.count);
      // By content: the same row of a pool that changed is another picture.
      const tag = `"${hashJson([route, pool.images.hash[row], version]).slice(0, 32)}"`;
      const headers = { etag: tag, "cache-control": "private, max-age=60, must-revalidate" };
      if (context.req.header("if-none-match") === tag) return new Response(null, { status: 304, headers });
      return new Response(await read(row), { headers: { ...headers, "content-type": "image/webp" } });
    });
  }
  for (const name of ["evaluation", "samples"] as const) {
    app.get(`/api/${name}`, async () => {
      const path = parts[name] ?? fail("not-found", `the studio was started without --${name}`);
      return new Response(new Uint8Array(await readFile(path)), { headers: { "content-type": "text/plain" } });
    });
  }

  app.post("/api/judgement", async (context) => {
    const { expression, image, verdict } = (await bodyOf(context.req.raw)) as Partial<JudgementRequest>;
    if (verdict !== "false-negative" && verdict !== "negative")
      fail("usage", 'expected the verdict "false-negative" or "negative"');
    await judged.append(
      rowIn(String(expression), pool.expressions.count),
      rowIn(String(image), pool.images.count),
      verdict,
    );
    return context.json({ judged: judged.count });
  });
  app.post("/api/settings", async (context) => {
    const { tree, hash = null, overwrite = false } = (await bodyOf(context.req.raw)) as Partial<SaveRequest>;
    return context.json(await parts.settings.save({ tree, hash, overwrite: overwrite === true }));
  });

  app.get("/api/*", () => fail("not-found", "the studio has no such answer"));
  app.get("/", () => pageFile(parts.pageFolder, "index.html"));
  app.get("/*", (context) => pageFile(parts.pageFolder, decodeURIComponent(context.req.path.slice(1))));
  return app;
}

async function infoOf(parts: StudioParts): Promise<StudioInfo> {
  const { pool, mined, judged, settings, evaluation, samples } = parts;
  const readOnly = await judged.readOnly();
  return {
    version,
    token: parts.token,
    pool: {
      name: pool.manifest.sources.map(({ name }) => name).join(" + "),
      folder: pool.folder,
      hash: pool.manifest.hash,
      images: pool.images.count,
      annotations: pool.annotations.count,
      refs: pool.refs.count,
      expressions: pool.expressions.count,
      sources: pool.manifest.sources.map(({ name, format }) => ({ name, format })),
    },
    mined: mined.names,
    settings: await settings.read(),
    ...(readOnly === undefined ? {} : { readOnly }),
    judged: judged.count,
    seed: parts.seed,
    ...(evaluation === undefined ? {} : { evaluation }),
    ...(samples === undefined ? {} : { samples }),
  };
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

async function pageFile(folder: string, name: string): Promise<Response> {
  const type = types[extname(name)] ?? fail("not-found", "the studio has no such file");
  const bytes = new Uint8Array(await readFile(await insidePath(folder, name)));
  // Built files carry their content's hash in their name.
  const cache = name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
  return new Response(bytes, {
    headers: { "content-type": type, "cache-control": cache, etag: `"${hashBytes(bytes).slice(0, 32)}"` },
  });
}

function binary(bytes: Uint8Array<ArrayBuffer>): Response {
  return new Response(bytes, { headers: { "content-type": "application/octet-stream" } });
}

function rowIn(text: string, count: number): number {
  const row = Number(text);
  if (!/^\d{1,10}$/.test(text) || row >= count)
    fail("not-found", `expected a row below ${count}, got ${text.slice(0, 20)}`);
  return row;
}

function nameIn(text: string | undefined): string {
  return text ?? fail("usage", "expected the name of a mined set (?mined=NAME)");
}

function jsonIn(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch (error) {
    return fail("usage", `expected JSON: ${(error as Error).message}`, error);
  }
}

async function bodyOf(request: Request): Promise<object> {
  if (Number(request.headers.get("content-length") ?? 0) > mostBodyBytes) fail("refused", "the request is too large");
  const text = await request.text();
  if (text.length > mostBodyBytes) fail("refused", "the request is too large");
  const value = jsonIn(text);
  if (value === null || typeof value !== "object") fail("usage", "expected a JSON object");
  return value;
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
