import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { NpyReader } from "../codecs/index.ts";
import { hashJson, ifMissing } from "../io/index.ts";
import { isInputError } from "../model/index.ts";
import { Mined, type Pool, readJudgements } from "../pool/index.ts";
import { Cases, type Finding, plural } from "./finding.ts";

/** Looks at what was made from the pool: mined sets, embeddings, judgements; and whether the dataset's files are still there. */
export async function checkArtefacts(pool: Pool, nearDuplicate: number): Promise<Finding[]> {
  return [
    ...(await checkMined(pool)),
    ...(await checkEmbeddings(pool, nearDuplicate)),
    ...(await checkJudgements(pool)),
    ...(await checkSources(pool)),
  ];
}

async function checkMined(pool: Pool): Promise<Finding[]> {
  const findings: Finding[] = [];
  const evaluated = evaluatedImages(pool);
  for (const name of await foldersIn(join(pool.folder, "mined"))) {
    try {
      const mined = await Mined.open(pool.folder, name, pool.manifest.hash);
      if (mined === undefined) {
        findings.push(
          once(
            "info",
            "mined-unfinished",
            `mined/${name} is not finished`,
            `run "nemosaic mine" again: it continues where it stopped`,
          ),
        );
        continue;
      }
      await mined.close();
      findings.push(...checkHeldOut(pool, name, mined.manifest.candidates.splits, evaluated));
    } catch (error) {
      if (!isInputError(error)) throw error;
      if (error.code === "incomplete")
        findings.push(once("warning", "mined-stale", error.message, `run "nemosaic mine" again with --force`));
      else findings.push(once("error", "mined-damaged", error.message, `run "nemosaic mine" again with --force`));
    }
  }
  return findings;
}

/** Rows of images that some source evaluates on, with where. */
function evaluatedImages(pool: Pool): Map<number, string> {
  const found = new Map<number, string>();
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const split = pool.refs.split[ref] ?? "";
    if (!split.startsWith("train")) found.set(pool.refs.image[ref] ?? 0, `${pool.refs.source[ref]} ${split}`);
  }
  return found;
}

function checkHeldOut(
  pool: Pool,
  name: string,
  splits: readonly string[],
  evaluated: ReadonlyMap<number, string>,
): Finding[] {
  const cases = new Cases();
  const seen = new Set<number>();
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const image = pool.refs.image[ref] ?? 0;
    if (seen.has(image) || !splits.includes(pool.refs.split[ref] ?? "")) continue;
    seen.add(image);
    const where = evaluated.get(image);
    if (where !== undefined) cases.add(() => `${pool.imageName(image)}: evaluated on by ${where}`);
  }
  return cases.finding(
    "warning",
    "candidate-held-out",
    (n) =>
      `mined/${name}: ${plural(n, "candidate image")} that a validation or test split holds: training would see them as negatives`,
    `mine with --candidates train, and keep sources apart whose splits disagree`,
  );
}

async function checkEmbeddings(pool: Pool, nearDuplicate: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  const inputs: Readonly<Record<string, string>> = {
    images: hashJson(pool.images.hash),
    expressions: hashJson(pool.expressions.sent),
  };
  for (const name of await foldersIn(join(pool.folder, "embeddings"))) {
    for (const [kind, hash] of Object.entries(inputs)) {
      const place = `embeddings/${name}/${kind}.json`;
      const text = await readFile(join(pool.folder, place), "utf8").catch(ifMissing(undefined));
      if (text === undefined) continue;
      const stated = inputsOf(text);
      if (stated === undefined)
        findings.push(
          once(
            "error",
            "embeddings-damaged",
            `${place} is no manifest of vectors`,
            `run "nemosaic embed" again with --force`,
          ),
        );
      else if (stated !== hash)
        findings.push(
          once(
            "warning",
            "embeddings-stale",
            `${place.replace(".json", "")} was embedded before the pool changed`,
            `run "nemosaic embed" again with --force`,
          ),
        );
      else if (kind === "images") findings.push(...(await findSimilarVectors(pool, name, nearDuplicate)));
    }
  }
  return findings;
}

function inputsOf(text: string): string | undefined {
  try {
    const { inputs } = JSON.parse(text) as { inputs?: unknown };
    return typeof inputs === "string" ? inputs : undefined;
  } catch {
    return undefined;
  }
}

/** All pairs are compared up to this many images; the time grows with the square. */
const mostCompared = 6000;

async function findSimilarVectors(pool: Pool, name: string, threshold: number): Promise<Finding[]> {
  if (pool.images.count > mostCompared) return [];
  let reader: NpyReader;
  try {
    reader = await NpyReader.open(join(pool.folder, "embeddings", name, "images.npy"));
  } catch (error) {
    if (!isInputError(error)) throw error;
    return [once("error", "embeddings-damaged", error.message, `run "nemosaic embed" again with --force`)];
  }
  try {
    const [count = 0, dimension = 0] = reader.shape;
    if (count !== pool.images.count)
      return [
        once(
          "error",
          "embeddings-damaged",
          `${reader.path} has ${count} rows for ${pool.images.count} images`,
          `run "nemosaic embed" again with --force`,
        ),
      ];
    const vectors = await reader.rowsAsFloat32(0, count);
    const cases = new Cases();
    for (let a = 0; a < count; a++) {
      const first = a * dimension;
      for (let b = a + 1; b < count; b++) {
        const second = b * dimension;
        let dot = 0;
        for (let at = 0; at < dimension; at++) dot += vectors[first + at]! * vectors[second + at]!;
        if (dot >= threshold) cases.add(() => `${pool.imageName(a)} and ${pool.imageName(b)}: ${dot.toFixed(4)}`);
      }
    }
    return cases.finding(
      "info",
      "near-duplicate-embedding",
      (n) =>
        `${plural(n, "pair")} of images whose vectors in embeddings/${name} have a similarity of ${threshold} or more`,
      "guards.nearDuplicate keeps them from becoming negatives of each other",
    );
  } finally {
    await reader.close();
  }
}

async function checkJudgements(pool: Pool): Promise<Finding[]> {
  const unknownExpressions = new Cases();
  const unknownImages = new Cases();
  try {
    const keys = new Set(Array.from({ length: pool.expressions.count }, (_, row) => pool.expressionKey(row)));
    const hashes = new Set(pool.images.hash);
    for (const [key, images] of await readJudgements(pool.folder)) {
      if (!keys.has(key)) unknownExpressions.add(() => key);
      for (const image of images)
        if (!hashes.has(image)) unknownImages.add(() => `${key}: image ${image.slice(0, 12)}`);
    }
  } catch (error) {
    if (!isInputError(error)) throw error;
    return [once("error", "judgements-damaged", error.message, "correct or remove that line of judgements.jsonl")];
  }
  const fix =
    "nothing is lost, but they have no effect here; import the source that they belong to, under the same --name";
  return [
    ...unknownExpressions.finding(
      "warning",
      "judgement-unknown-expression",
      (n) => `${plural(n, "judged expression")} that the pool does not have`,
      fix,
    ),
    ...unknownImages.finding(
      "warning",
      "judgement-unknown-image",
      (n) => `${plural(n, "judged image")} that the pool does not have`,
      fix,
    ),
  ];
}

async function checkSources(pool: Pool): Promise<Finding[]> {
  const gone = new Cases();
  for (const { name, files } of pool.manifest.sources) {
    for (const { path } of files) {
      const info = await stat(path.startsWith("/") ? path : join(pool.folder, path)).catch(() => undefined);
      if (info === undefined) gone.add(() => `${name}: ${path}`);
    }
  }
  return gone.finding(
    "info",
    "source-gone",
    (n) => `${plural(n, "dataset file")} no longer where it was imported from`,
    "nothing to do: the pool holds what it needs; only a new import would miss it",
  );
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ifMissing([]));
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

function once(severity: Finding["severity"], code: string, message: string, fix: string): Finding {
  return { severity, code, message, fix, count: 1, examples: [] };
}
