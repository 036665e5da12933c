import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe } from "vitest";
import { Loader, parsePlan } from "../../src/loader/index.ts";
import { encodeFrame, FrameReader, frameKinds } from "../../src/serve/frame.ts";
import { parseGet, parseHello, parseSlots } from "../../src/serve/messages.ts";
import { parseSettings, presetNames, withSets } from "../../src/settings/index.ts";
import { smallPool } from "../small-pool.ts";
import { fuzz } from "./fuzz.ts";
import { garbledBytes, garbledTree, hostileValues } from "./garble.ts";

let plans: unknown[] = [];
let folder: string;

beforeAll(async () => {
  const pool = await smallPool({ images: 6 });
  folder = dirname(pool.folder);
  const settings = parseSettings({ preset: "random", size: 32 }, "test");
  const loader = await Loader.open(pool.folder, settings, { seed: 1 });
  plans = [0, 1, 2].map((index) => loader.plan(0, index));
  await loader.close();
  await pool.close();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("what people and programs send is answered with one clear line", () => {
  fuzz(
    "plans",
    () => fc.nat().chain(() => garbledTree(plans)),
    (plan) => parsePlan(plan, "line 3 of plans.jsonl"),
    { place: "line 3 of plans.jsonl" },
  );

  const trees = [
    { preset: "nemo", size: 416, mosaic: { gamma: 0.4, grid: "2x2" }, band: { tau: 0.3, k: 100 } },
    {
      mosaic: { grid: "mixed" },
      schedule: {
        gamma: [
          [0, 0.1],
          [5, 0.5],
        ],
      },
      guards: { nearDuplicate: null },
    },
    ...presetNames.map((preset) => ({ preset })),
  ];
  fuzz(
    "settings",
    () => garbledTree(trees),
    (tree) => parseSettings(tree, "nemosaic.json"),
  );
  fuzz(
    "--set words",
    () =>
      fc.array(
        fc
          .tuple(
            fc.constantFrom(
              "size",
              "band.tau",
              "mosaic.grid",
              "__proto__.x",
              "constructor.prototype.y",
              "",
              "a.b.c",
              ".",
            ),
            fc.oneof(
              fc.constantFrom(...hostileValues).map((value) => JSON.stringify(value)),
              fc.string(),
            ),
          )
          .map(([key, value]) => `${key}=${value}`),
        { minLength: 1, maxLength: 4 },
      ),
    (words) => {
      parseSettings(withSets({}, words), "--set");
      if (({} as Record<string, unknown>).x !== undefined || ({} as Record<string, unknown>).y !== undefined)
        throw new Error("a prototype was changed");
    },
  );

  const hello = { client: "python 1", split: "train", seed: 3, settings: { size: 64 }, set: ["size=32"], credits: 4 };
  const slots = { path: "/dev/shm/x", slots: 4, slotBytes: 4096, token: "0".repeat(64) };
  const get = { epoch: 1, indices: [0, 1, 2], slot: null, want: ["image", "mask"] };
  fuzz(
    "bodies of the stream's messages",
    () => garbledTree([[hello, slots, get]]),
    (tree) => {
      const [first, second, third] = Array.isArray(tree) ? tree : [tree];
      parseHello(first);
      parseSlots(second);
      parseGet(third);
    },
  );
  fuzz(
    "frames of the stream, in pieces of any size",
    () =>
      fc.tuple(
        garbledBytes([Buffer.concat([encodeFrame("hello", 1, hello), encodeFrame("get", 2, get)])]),
        fc.integer({ min: 1, max: 70 }),
      ),
    ([bytes, piece]) => {
      const reader = new FrameReader();
      for (let at = 0; at < bytes.length; at += piece) {
        for (const frame of reader.push(Buffer.from(bytes.subarray(at, at + piece)))) {
          if (!(frame.kind in frameKinds)) throw new Error(`unknown kind ${frame.kind}`);
        }
      }
    },
  );
});
