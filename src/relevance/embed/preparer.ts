import { availableParallelism } from "node:os";
import { type DecodedImage, decodeImage, decodeImageAtLeast } from "../../codecs/index.ts";
import { fail, NemosaicError } from "../../model/index.ts";
import { preprocessImage, workerEntry } from "../clip/index.ts";
import type { Cut, Preparation } from "./preparation.ts";
import { openPrepareWorkers } from "./prepare-workers.ts";

/** Turns encoded images into tensors beside the model's runs. Holds threads until `close`. */
export interface Preparer {
  /** Threads that prepare, the caller's among them where it does. */
  readonly threads: number;
  /**
   * Writes float32 [3, height, width] into `out`, which is best shared memory: other memory is copied; with `cut` one for each
   * of its boxes, of an image decoded once. Errors are those of decoding, with `name` in them. `bytes` may be given away.
   */
  prepare(bytes: Uint8Array, name: string, out: Float32Array, cut?: Cut): Promise<void>;
  close(): Promise<void>;
}

/**
 * A preparer of `threads` threads (default: one less than the cores, at least 1). `here` is for callers whose model runs in
 * other threads: the caller's thread is then one of those that prepare and the first at work, since a worker takes a fifth
 * of a second of core time to start. Without, all are workers, since onnxruntime-node runs a model in the calling thread.
 * Run from TypeScript sources, where this Node cannot start a worker, the caller's thread prepares alone. Always to the
 * same numbers.
 */
export function openPreparer(
  preparation: Preparation,
  { threads = availableParallelism() - 1, here = false }: { threads?: number | undefined; here?: boolean } = {},
): Preparer {
  const entry = workerEntry("prepare-worker", import.meta.url);
  const isHere = here || entry === undefined;
  const waiting: Waiting[] = [];
  const hands: Hand[] = [];
  let failure: unknown;
  const handOut = (): void => {
    for (let hand = freest(hands); hand !== undefined; hand = freest(hands)) {
      const task = waiting.shift();
      if (task === undefined) return;
      void give(hand, task).then(handOut);
    }
  };
  const take = (hand: Hand): void => {
    hands.push(hand);
    handOut();
  };
  const failAll = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  if (isHere) take(handHere(preparation));
  const workers =
    entry === undefined
      ? undefined
      : openPrepareWorkers(entry, preparation, Math.max(1, threads) - Number(isHere), failAll);
  // Where the caller runs the model it cannot hand out images one by one, so that workers get theirs at once.
  for (const { ready, prepare } of workers?.each ?? []) {
    if (isHere) ready.then(() => take({ atOnce: imagesAtOnce, busy: 0, prepare }), failAll);
    else take({ atOnce: Number.POSITIVE_INFINITY, busy: 0, prepare });
  }
  return {
    threads: Number(isHere) + (workers?.each.length ?? 0),
    prepare(bytes, name, out, cut) {
      if (failure !== undefined) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        waiting.push({ bytes, name, out, cut, resolve, reject });
        handOut();
      });
    },
    async close() {
      failAll(new NemosaicError("internal", "the image preparer is closed"));
      await workers?.close();
    },
  };
}

/** Decodes one image and preprocesses it, or what is cut of it, into `out`; a bad image leaves that as it was. */
export async function prepareImage(
  { bytes, name, out, cut }: Pick<Waiting, "bytes" | "name" | "out" | "cut">,
  preparation: Preparation,
): Promise<void> {
  const { preprocessing } = preparation;
  if (cut === undefined) return preprocessImage(await decode(bytes, name, preparation), preprocessing, out);
  const image = await decodeImage(bytes, { where: name });
  if (image.width !== cut.width || image.height !== cut.height)
    fail(
      "bad-input",
      `expected ${cut.width}×${cut.height} pixels in "${name}", as when it was imported, got ${image.width}×${image.height}: import again`,
    );
  const size = 3 * preprocessing.width * preprocessing.height;
  for (let at = 0; at * 4 < cut.boxes.length; at++)
    preprocessImage(
      cropImage(image, cut.boxes.subarray(at * 4, at * 4 + 4)),
      preprocessing,
      out.subarray(at * size, (at + 1) * size),
    );
}

function cropImage(image: DecodedImage, [x = 0, y = 0, width = 0, height = 0]: Int32Array): DecodedImage {
  if (width === image.width && height === image.height) return image;
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * 3;
    data.set(image.data.subarray(from, from + width * 3), row * width * 3);
  }
  return { width, height, channels: 3, data };
}

function decode(bytes: Uint8Array, where: string, preparation: Preparation): Promise<DecodedImage> {
  const { resize } = preparation.preprocessing;
  if (preparation.decode === "exact" || resize === undefined) return decodeImage(bytes, { where });
  const [width, height] = resize.kind === "exact" ? [resize.width, resize.height] : [resize.edge, resize.edge];
  return decodeImageAtLeast(bytes, width, height, { where });
}

/** Images in the making in a thread: decoding runs in the codec's own, so that it overlaps resampling. */
export const imagesAtOnce = 2;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly out: Float32Array;
  readonly cut: Cut | undefined;
  resolve(): void;
  reject(error: unknown): void;
}

/** A thread that prepares. */
interface Hand {
  readonly atOnce: number;
  busy: number;
  prepare(bytes: Uint8Array, name: string, out: Float32Array, cut?: Cut): Promise<void>;
}

function freest(hands: readonly Hand[]): Hand | undefined {
  let found: Hand | undefined;
  for (const hand of hands) if (hand.busy < hand.atOnce && hand.busy < (found?.busy ?? hand.atOnce)) found = hand;
  return found;
}

async function give(hand: Hand, { bytes, name, out, cut, resolve, reject }: Waiting): Promise<void> {
  hand.busy++;
  try {
    await hand.prepare(bytes, name, out, cut);
    resolve();
  } catch (error) {
    reject(error);
  } finally {
    hand.busy--;
  }
}

function handHere(preparation: Preparation): Hand {
  return {
    atOnce: imagesAtOnce,
    busy: 0,
    prepare: (bytes, name, out, cut) => prepareImage({ bytes, name, out, cut }, preparation),
  };
}
