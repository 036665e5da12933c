// The whole path at a tenth of RefCOCO's size, stage by stage, beside what a person would script from public parts:
//
//   npm run build && node bench/end-to-end.mjs [--images 2000] [--depth 300] [--samples 512]
//
//   import   nemosaic import                      refer.py's way: pickle and JSON into dictionaries, each ref's mask as PNG
//   embed    nemosaic embed, ONNX                 open_clip's ViT-B/32 in PyTorch on the CPU; both with the same random weights
//   mine     nemosaic mine (with neighbours and estimated risks)
//                                                 FAISS IndexFlatIP, NumPy for image-to-image scores
//   load     Loader(pool), its first and second epoch; the reference's steps in OpenCV in as many processes as cores, and in one
//
// Refs, masks and sentences are those of drawn scenes (`nemosaic scenes`, 640 x 480). Their pixels become photographs of that size
// where NEMOSAIC_SAMPLE has some, because a drawing decodes three times as fast. NEMOSAIC_TORCH_PYTHON has torch, open_clip,
// transformers and onnx; NEMOSAIC_FAISS_PYTHON has faiss, cv2, numpy and pycocotools. A stage's ratio is of one run, ours first; each
// side is timed as the commands that a person starts, so programs' start-up counts, but for "the ranking alone". Theirs is measured on
// --samples images, sentences and mosaics where that is less than all, and scaled up: the row says so. A tenth takes ten minutes of
// two idle cores, nearly all of it sentences in the towers; --images 170 two minutes.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { main, option, root, sampleDir } from "./measure.mjs";

const cores = availableParallelism();

/** Writes the model, of random weights, as a folder that `nemosaic embed` takes; and times it in PyTorch over files and sentences. */
const torchPeer = `
import gzip, json, sys, time
from pathlib import Path
began = time.perf_counter()
import torch, open_clip
from PIL import Image
work, target, pool, samples, threads = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
torch.set_num_threads(threads)
config = json.loads((Path(open_clip.__file__).parent / "model_configs/ViT-B-32.json").read_text())
torch.manual_seed(7)
model = open_clip.CLIP(**config).eval()
preprocessing = open_clip.transform.PreprocessCfg(size=224)
prepare = open_clip.transform.image_transform_v2(preprocessing, is_train=False)
tokenize = open_clip.SimpleTokenizer()
if work == "export":
    import transformers
    for tower, port, call, sample in [("visual", "image", model.encode_image, torch.zeros(2, 3, 224, 224)), ("textual", "text", model.encode_text, tokenize(["a", "b"]).int())]:
        (target / tower).mkdir(parents=True)
        model.forward = lambda x: call(x)
        torch.onnx.export(model, (sample,), str(target / tower / "model.onnx"), input_names=[port], output_names=[f"{port}_embedding"], dynamic_axes={port: {0: "n"}}, dynamo=False)
    (target / "config.json").write_text(json.dumps(config))
    facts = {"size": [224, 224], "mean": preprocessing.mean, "std": preprocessing.std, "interpolation": "bicubic", "resize_mode": "shortest"}
    (target / "visual/preprocess_cfg.json").write_text(json.dumps(facts))
    merges = gzip.open(pool, "rt", encoding="utf-8").read().rstrip("\\n").split("\\n")
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(byte) for byte in printable] + [chr(256 + at) for at in range(256 - len(printable))]
    words = [*symbols, *(f"{symbol}</w>" for symbol in symbols), *(merge.replace(" ", "") for merge in merges)]
    vocabulary = {word: at for at, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    transformers.CLIPTokenizer(vocab=vocabulary, merges=[tuple(merge.split(" ")) for merge in merges], model_max_length=77).save_pretrained(target / "textual")
    print(json.dumps({}))
    sys.exit()
files, texts = json.loads(sys.stdin.read())
start_up = time.perf_counter() - began
with torch.inference_mode():
    began = time.perf_counter()
    some = files[:samples]
    for at in range(0, len(some), 32):
        model.encode_image(torch.stack([prepare(Image.open(path).convert("RGB")) for path in some[at:at + 32]]), normalize=True)
    images = (time.perf_counter() - began) * len(files) / len(some)
    began = time.perf_counter()
    few = texts[:samples]
    for at in range(0, len(few), 64):
        model.encode_text(tokenize(few[at:at + 64]), normalize=True)
    sentences = (time.perf_counter() - began) * len(texts) / len(few)
print(json.dumps({"seconds": start_up + images + sentences, "images": images, "texts": sentences, "torch": torch.__version__, "open_clip": open_clip.__version__, "threads": torch.get_num_threads()}))
`;

const plainPeer = `
import json, os, pickle, random, sys, time
began = time.perf_counter()
import numpy as np
work = sys.argv[1]
if work == "import":
    import cv2
    from pycocotools import mask as masks
    refer, out = sys.argv[2:4]
    refs = pickle.load(open(os.path.join(refer, next(name for name in os.listdir(refer) if name.endswith(".p"))), "rb"))
    data = json.load(open(os.path.join(refer, "instances.json")))
    images = {image["id"]: image for image in data["images"]}
    annotations = {one["id"]: one for one in data["annotations"]}
    of_image = {}
    for one in data["annotations"]: of_image.setdefault(one["image_id"], []).append(one)
    os.makedirs(out)
    samples = []
    for ref in refs:
        image, one = images[ref["image_id"]], annotations[ref["ann_id"]]
        shape = image["height"], image["width"]
        shapes = one["segmentation"]
        is_packed = isinstance(shapes, dict) and isinstance(shapes["counts"], str)
        runs = {**shapes, "counts": shapes["counts"].encode()} if is_packed else masks.frPyObjects(shapes, *shape)
        runs = masks.merge(runs) if isinstance(runs, list) else runs
        path = os.path.join(out, f"{ref['ref_id']}.png")
        cv2.imwrite(path, masks.decode(runs) * 255)
        samples.append([image["file_name"], path, [sentence["sent"] for sentence in ref["sentences"]]])
    json.dump(samples, open(os.path.join(out, "samples.json"), "w"))
    print(json.dumps({"seconds": time.perf_counter() - began, "refs": len(samples)}))
elif work == "mine":
    import faiss
    loaded = time.perf_counter()
    images, texts, rows, depth, threads = np.load(sys.argv[2]), np.load(sys.argv[3]), np.load(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6])
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(images.shape[1]); index.add(images)
    scores, ids = index.search(texts, depth)
    both = np.empty_like(scores)
    for at in range(0, len(ids), 64):
        both[at:at + 64] = np.einsum("qd,qkd->qk", images[rows[at:at + 64]], images[ids[at:at + 64]], optimize=True)
    np.savez(os.path.join(os.path.dirname(sys.argv[2]), "theirs.npz"), ids=ids.astype(np.int32), t2i=scores, i2i=both)
    blas = sorted({os.path.basename(line.split()[-1]) for line in open("/proc/self/maps") if "blas" in line})
    print(json.dumps({"seconds": time.perf_counter() - loaded, "faiss": faiss.__version__, "blas": blas, "threads": threads}))
else:
    import cv2
    from multiprocessing import Pool
    cv2.setNumThreads(1)
    folder, images, count, processes = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    samples = json.load(open(os.path.join(folder, "samples.json")))
    def draw(index):
        chance = random.Random(index)
        own, others, cell = samples[index % len(samples)], [chance.choice(samples) for _ in range(3)], chance.randrange(4)
        chosen = [*others[:cell], own, *others[cell:]]
        image, mask = np.zeros((416, 416, 3), np.uint8), np.zeros((416, 416), np.uint8)
        for at, (name, path, _) in enumerate(chosen):
            x, y = 208 * (at % 2), 208 * (at // 2)
            pixels = cv2.cvtColor(cv2.imread(os.path.join(images, name)), cv2.COLOR_BGR2RGB)
            image[y:y + 208, x:x + 208] = cv2.resize(pixels, (208, 208), interpolation=cv2.INTER_LINEAR)
            if at == cell: mask[y:y + 208, x:x + 208] = cv2.resize(cv2.imread(path, 0), (208, 208), interpolation=cv2.INTER_NEAREST) > 0
        return int(image[::41, ::41].sum()) + int(mask.sum())
    with Pool(processes) as pool:
        pool.map(draw, range(8 * processes))
        began = time.perf_counter()
        pool.map(draw, range(count), chunksize=8)
        print(json.dumps({"rate": count / (time.perf_counter() - began), "opencv": cv2.__version__}))
`;

const loading = `
import json, sys, time
sys.path.insert(0, sys.argv[2])
from nemosaic import Loader
settings = {"preset": "nemo", "mosaic": {"gamma": 1, "placement": "uniform"}, "size": 416, "resample": "opencv"}
rates = []
with Loader(sys.argv[1], batch_size=32, settings=settings, framework="numpy", dtype="uint8", num_prefetch=4) as loader:
    for _ in range(2):
        began, samples = time.perf_counter(), 0
        for batch in loader: samples += len(batch)
        rates.append(samples / (time.perf_counter() - began))
print(json.dumps({"rates": rates, "samples": samples}))
`;

/** Replaces the pictures by photographs of the sample, of the same size; returns what the pictures are. */
async function usePhotographs(pictures) {
  const sample = sampleDir();
  if (sample === undefined) return "drawn scenes";
  const photographs = (await readdir(join(sample, "images"))).sort().map((name) => join(sample, "images", name));
  for (const [at, name] of (await readdir(pictures)).sort().entries()) {
    const path = join(pictures, name);
    const { width, height } = await sharp(path).metadata();
    const photograph = sharp(photographs[at % photographs.length]).resize(width, height, { fit: "cover" });
    // Turned over once, so that a photograph used again is other bytes.
    const pixels = Math.floor(at / photographs.length) % 2 === 1 ? photograph.flop() : photograph;
    await writeFile(path, await pixels.jpeg({ quality: 92 }).toBuffer());
  }
  return "photographs";
}

/** Seconds of the miner's own stage, as it says them itself in a log: "mine  8,672 expressions in 0.8 s  10,456/s". */
function rankingSeconds(log) {
  const [, count, rate] = /^mine +([\d,]+) expressions in .* ([\d,]+)\/s$/m.exec(log) ?? [];
  if (rate === undefined) throw new Error(`"nemosaic mine" said nothing of its stage:\n${log}`);
  return Number(count.replaceAll(",", "")) / Number(rate.replaceAll(",", ""));
}

function timed(words, input) {
  const start = performance.now();
  const [program, ...rest] = words;
  const done = spawnSync(program, rest.map(String), {
    encoding: "utf8",
    input,
    maxBuffer: 2 ** 28,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, HF_HUB_OFFLINE: "1", OMP_NUM_THREADS: String(cores), OPENBLAS_NUM_THREADS: String(cores) },
  });
  if (done.status !== 0)
    throw new Error(
      `"${words.slice(0, 4).join(" ").slice(0, 200)}" ended with ${done.status ?? done.signal}:\n${done.stderr}`,
    );
  const out = done.stdout.trim().split("\n").at(-1) ?? "";
  return { seconds: (performance.now() - start) / 1000, out, log: done.stderr };
}

const rounded = (value) => Number(value.toPrecision(3));
const stage = (what, unit, ours, peer, theirs, goal) => {
  const ratio = unit === "s" ? theirs / ours : ours / theirs;
  const only = (value) => ({ median: rounded(value), low: rounded(value), high: rounded(value) });
  return { what, unit, ours: only(ours), peer, theirs: only(theirs), ratio: only(ratio), ...(goal ? { goal } : {}) };
};

export async function benchEndToEnd(size = {}) {
  const { images = option("images", 2000), depth = option("depth", 300), samples = option("samples", 512) } = size;
  const [torch, faiss] = [process.env.NEMOSAIC_TORCH_PYTHON, process.env.NEMOSAIC_FAISS_PYTHON];
  const lacks = [!torch && "NEMOSAIC_TORCH_PYTHON", !faiss && "NEMOSAIC_FAISS_PYTHON"].filter(Boolean);
  if (lacks.length > 0) return { bench: "end-to-end", rows: [], notes: { lacks: lacks.join(", ") } };
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));
  const at = (...names) => join(folder, ...names);
  const nemosaic = (...words) => timed([process.execPath, join(root, "dist", "cli", "main.js"), ...words]);
  const progress = (text) => process.stderr.write(`${text}\n`);
  try {
    progress("scenes, and a model of random weights");
    nemosaic("scenes", at("scenes"), "--count", images, "--splits", "train=1");
    const merges = join(root, "assets", "clip-merges.txt.gz");
    timed([torch, "-c", torchPeer, "export", at("model"), merges, 0, cores]);

    const pictures = at("scenes", "images");
    const material = await usePhotographs(pictures);

    progress("import");
    const refer = at("scenes", "refer", "scenes");
    const imported = nemosaic("import", "refer", refer, "--images", pictures, "--pool", at("pool"));
    const indexed = timed([faiss, "-c", plainPeer, "import", refer, at("theirs")]);

    progress("embed");
    const { Pool } = await import(join(root, "dist", "pool", "index.js"));
    const pool = await Pool.open(at("pool"));
    const files = (await readdir(pictures)).sort().map((name) => join(pictures, name));
    const texts = [...pool.expressions.sent];
    const rows = Int32Array.from(pool.expressions.ref, (ref) => pool.refs.image[ref]);
    await pool.close();
    const embedded = nemosaic("embed", at("pool"), "--model", at("model"));
    const tower = JSON.parse(
      timed([torch, "-c", torchPeer, "time", at("none"), at("none"), samples, cores], JSON.stringify([files, texts]))
        .out,
    );

    progress("mine");
    const { encodeNpy } = await import(join(root, "dist", "codecs", "index.js"));
    await writeFile(at("rows.npy"), encodeNpy(rows, [rows.length]));
    const [name] = await readdir(at("pool", "embeddings"));
    const vectors = (which) => at("pool", "embeddings", name, `${which}.npy`);
    const mined = nemosaic("mine", at("pool"), "--depth", depth);
    const search = timed([
      faiss,
      "-c",
      plainPeer,
      "mine",
      vectors("images"),
      vectors("expressions"),
      at("rows.npy"),
      depth,
      cores,
    ]);
    const searched = JSON.parse(search.out);

    progress("load");
    const drawn = (processes) =>
      JSON.parse(timed([faiss, "-c", plainPeer, "load", at("theirs"), pictures, samples, processes]).out);
    const [one, all] = [drawn(1), drawn(cores)];
    const ours = JSON.parse(timed([faiss, "-c", loading, at("pool"), join(root, "python")]).out);
    const scaled = samples < texts.length ? `, from ${samples} of each` : "";
    return {
      bench: "end-to-end",
      rows: [
        stage(
          `import: ${images} images, ${texts.length} expressions`,
          "s",
          imported.seconds,
          "pickle, JSON, masks as PNG",
          indexed.seconds,
        ),
        stage(
          "embed: ViT-B/32, images and expressions",
          "s",
          embedded.seconds,
          `open_clip in PyTorch${scaled}`,
          tower.seconds,
          "≥ 1",
        ),
        stage(
          `mine: top ${depth}; ours with neighbours and risks`,
          "s",
          mined.seconds,
          `FAISS ${searched.faiss}, NumPy`,
          search.seconds,
        ),
        stage(
          "mine: the ranking alone, scores of both kinds",
          "s",
          rankingSeconds(mined.log),
          `FAISS ${searched.faiss}, NumPy`,
          searched.seconds,
          "≥ 2",
        ),
        stage(
          "first epoch, without tiles before it",
          "samples/s",
          ours.rates[0],
          "the reference's steps, all cores",
          all.rate,
        ),
        stage(
          "first epoch, without tiles before it",
          "samples/s",
          ours.rates[0],
          "the reference's steps, 1 process",
          one.rate,
        ),
        stage("second epoch", "samples/s", ours.rates[1], "the reference's steps, all cores", all.rate),
        stage("second epoch", "samples/s", ours.rates[1], "the reference's steps, 1 process", one.rate, "≥ 40"),
      ],
      notes: {
        cores,
        pictures: material,
        torch: tower.torch,
        openClip: tower.open_clip,
        torchThreads: tower.threads,
        torchSecondsForImages: rounded(tower.images),
        faissThreads: searched.threads,
        blas: searched.blas,
        opencv: all.opencv,
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main(import.meta.url, () => benchEndToEnd());
