import { join } from "node:path";
import { encodePickle } from "../../codecs/index.ts";
import { type AtomicFile, openAtomic } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { sceneHeight, sceneWidth } from "../scene.ts";
import type { ChunkResult } from "./chunk.ts";
import type { SceneSettings } from "./options.ts";
import { categories, fileNameOf, imageIdOf, type ReferEntry } from "./ref-records.ts";

/** The dataset's files besides the images, written as the scenes come, visible at `commit` only. */
export interface DatasetOutputs {
  /** Names within the folder. */
  readonly files: readonly string[];
  /** Takes the next scenes, in order. */
  add(result: ChunkResult): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** Opens the dataset's files below `folder`. */
export async function openOutputs(folder: string, settings: SceneSettings): Promise<DatasetOutputs> {
  const isGeneral = settings.multiTarget > 0 || settings.noTarget > 0;
  const instanceNames = ["refer/scenes/instances.json", ...(isGeneral ? ["grefs/scenes/instances.json"] : [])];
  const opened = new Map<string, AtomicFile>();
  const open = async (name: string): Promise<AtomicFile> => {
    const file = await openAtomic(join(folder, name));
    opened.set(name, file);
    return file;
  };
  const instances: AtomicFile[] = [];
  for (const name of instanceNames) instances.push(await open(name));
  const lines = await open("scenes.jsonl");
  const refs = await open("refer/scenes/refs(unc).p");
  const general = isGeneral ? await open("grefs/scenes/grefs(unc).json") : undefined;
  let annotationsBefore = false;
  let generalBefore = false;
  for (const file of instances) await writeInstancesHead(file, settings.count);
  await refs.write(pickleHead);
  await general?.write("[");
  return {
    files: [...opened.keys()],
    async add(result) {
      const annotations = result.annotations.map((text, place) =>
        annotationsBefore || place > 0 ? `,\n${text}` : `\n${text}`,
      );
      annotationsBefore ||= annotations.length > 0;
      for (const file of instances) await file.write(annotations.join(""));
      await lines.write(result.lines.map((line) => `${line}\n`).join(""));
      await refs.write(pickledItems(result.refs));
      for (const entry of result.generalRefs) {
        await general?.write(`${generalBefore ? ",\n" : "\n"}${JSON.stringify(entry)}`);
        generalBefore = true;
      }
    },
    async commit() {
      for (const file of instances) await file.write("\n]}\n");
      await refs.write(pickleTail);
      await general?.write("\n]\n");
      for (const file of opened.values()) await file.commit();
    },
    async abort() {
      for (const file of opened.values()) await file.abort();
    },
  };
}

async function writeInstancesHead(file: AtomicFile, count: number): Promise<void> {
  const info = { description: "Scenes drawn by nemosaic", version: "1" };
  const licenses = [{ id: 1, name: "MIT", url: "https://opensource.org/license/mit" }];
  await file.write(`{"info":${JSON.stringify(info)},\n"licenses":${JSON.stringify(licenses)},\n`);
  await file.write(`"categories":${JSON.stringify(categories)},\n"images":[`);
  for (let from = 0; from < count; from += 1024) {
    const part: string[] = [];
    for (let index = from; index < Math.min(count, from + 1024); index++) {
      const image = {
        id: imageIdOf(index),
        file_name: fileNameOf(index),
        height: sceneHeight,
        width: sceneWidth,
        license: 1,
        coco_url: "",
        flickr_url: "",
      };
      part.push(`${index === 0 ? "\n" : ",\n"}${JSON.stringify(image)}`);
    }
    await file.write(part.join(""));
  }
  await file.write(`\n],\n"annotations":[`);
}

/**
 * A list's pickle of protocol 2 is "\x80\x02]", its items in batches, and "."; the items of several lists after one
 * another are the items of one list (what a batch memoizes, it memoizes again). So it can be written in parts.
 */
const pickleHead = Uint8Array.of(0x80, 0x02, 0x5d);
const pickleTail = Uint8Array.of(0x2e);

function pickledItems(entries: readonly ReferEntry[]): Uint8Array {
  const bytes = encodePickle(entries, { protocol: 2 });
  const isAsExpected = pickleHead.every((byte, at) => bytes[at] === byte) && bytes.at(-1) === pickleTail[0];
  if (!isAsExpected) fail("internal", "expected a pickled list to begin with 80 02 5d and to end with 2e");
  return bytes.subarray(pickleHead.length, bytes.length - 1);
}
