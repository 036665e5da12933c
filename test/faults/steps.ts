import { join } from "node:path";
import { main, tinyClip } from "../kill/workplace.ts";
import { python, pythonHas } from "../peers.ts";

/** A step of the work as a person runs it: the words, what has to be there before, and what it reads. */
export interface Step {
  readonly name: string;
  readonly before: readonly (readonly string[])[];
  /** The whole command line, for a folder that holds tiny/, images/ and disk/. */
  readonly words: readonly string[];
  /** Files that it reads, below the folder; `*` stands for one of a kind that the seed chooses. */
  readonly reads: readonly string[];
  /** It has worker threads of its own. */
  readonly hasWorkers?: boolean;
  /** It writes nothing that anyone waits for: a full or read-only disk is nothing to it. */
  readonly isReader?: boolean;
  /** Tiles, which come in the order in which threads ended: they have to be there, and sound. */
  readonly inAnyOrder?: RegExp;
  /** Why it cannot run on this machine. */
  readonly cannot?: string | undefined;
}

const nemosaic = (...words: string[]): string[] => [process.execPath, main, ...words, "--quiet"];
const script = (name: string): string => join(import.meta.dirname, name);
const pool = "disk/pool";

const importing = nemosaic("import", "refer", "tiny", "--images", "images", "--pool", pool);
const embedding = nemosaic("embed", pool, "--model", tinyClip, "--batch", "4");
const mining = nemosaic("mine", pool, "--depth", "8");
const settings = ["size=48", "band.tau=null", "band.tauImage=null", "guards.nearDuplicate=null", "onBadImage=fail"];
const sets = settings.flatMap((word) => ["--set", word]);
const mined = [importing, embedding, mining];
const tables = ["images", "annotations", "refs", "expressions"].map((name) => `${pool}/${name}.parquet`);

export const steps: readonly Step[] = [
  {
    name: "import",
    before: [],
    words: importing,
    reads: ["tiny/instances.json", "tiny/refs(unc).p", "images/*"],
  },
  {
    name: "embed",
    before: [importing],
    words: embedding,
    reads: [...tables.slice(0, 1), ...tables.slice(3), "images/*", `${pool}/pool.json`],
    hasWorkers: true,
  },
  {
    name: "mine",
    before: [importing, embedding],
    words: mining,
    reads: [`${pool}/embeddings/*`, ...tables, `${pool}/pool.json`],
    hasWorkers: true,
  },
  { name: "tiles", before: mined, words: nemosaic("tiles", pool, ...sets), reads: ["images/*", ...tables] },
  {
    name: "merge",
    before: [importing, embedding, [...mining, "--shard", "0/2"], [...mining, "--shard", "1/2"]],
    words: nemosaic("merge", pool),
    reads: [`${pool}/mined/default/parts/*`],
  },
  {
    name: "serve",
    before: mined,
    words: [process.execPath, script("serve-once.mjs"), main, pool, "disk/served"],
    reads: [...tables, `${pool}/pool.json`],
    isReader: true,
  },
  {
    name: "Loader",
    before: mined,
    words: [python() ?? "python3", script("loader-once.py"), pool, "disk/loaded"],
    reads: ["images/*", ...tables],
    isReader: true,
    inAnyOrder: /\/tiles\/.*\/(?:cells\.raw|index\.bin)$/,
    cannot: pythonHas("numpy") ? undefined : "there is no Python with numpy",
  },
  {
    name: "export",
    before: mined,
    words: nemosaic("export", "refer", pool, "-o", "disk/out", ...sets),
    reads: ["images/*", `${pool}/mined/*`, ...tables],
  },
  {
    name: "evaluate",
    before: [importing],
    words: nemosaic(
      ...["evaluate", "predictions", "--truth", pool, "--preset", "cris", "--sentences", "all", "--bootstrap", "20"],
      ...["--html", "disk/report.html", "--samples", "disk/samples.jsonl", "--split", "val", "--ids-are", "sentence"],
    ),
    reads: ["predictions/*", ...tables, "images/*"],
  },
  {
    name: "judge",
    before: mined,
    words: [process.execPath, script("judge-once.mjs"), main, pool],
    reads: [...tables, `${pool}/pool.json`, `${pool}/mined/*`],
  },
];
