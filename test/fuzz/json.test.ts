import { rm } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe } from "vitest";
import { parseJson, readJson, readJsonArrays, readJsonLines, readJsonList } from "../../src/codecs/index.ts";
import { readKeys } from "../../src/evaluate/index.ts";
import { scratchFolder } from "../small-pool.ts";
import { drained, fuzz, placed } from "./fuzz.ts";
import { garbledBytes, garbledTree } from "./garble.ts";

let folder: string;

beforeAll(async () => {
  folder = await scratchFolder();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("readers of JSON answer garbage with one clear line", () => {
  const document = {
    images: [{ id: 1, file_name: "é.jpg" }],
    annotations: [[1.5, -2e10, true, null, "\u2028"]],
    nested: [[[{}]]],
  };
  const text = garbledBytes([
    Buffer.from(JSON.stringify(document)),
    Buffer.from(JSON.stringify([document, document, 3])),
    Buffer.from(`${JSON.stringify(document)}\n[1,2]\r\n\n"x"\n`),
  ]);

  fuzz(
    "whole JSON",
    () => text,
    async (bytes) => {
      parseJson(Buffer.from(bytes).toString("utf8"), "a.json");
      await readJson(placed(folder, "a.json", bytes));
    },
    { place: "a.json" },
  );
  fuzz(
    "arrays of a JSON file",
    () => text,
    (bytes) => drained(readJsonArrays(placed(folder, "b.json", bytes))),
    { place: "b.json" },
  );
  fuzz(
    "a JSON list",
    () => text,
    (bytes) => drained(readJsonList(placed(folder, "c.json", bytes))),
    { place: "c.json" },
  );
  fuzz(
    "JSON lines",
    () => text,
    (bytes) => drained(readJsonLines(placed(folder, "d.jsonl", bytes))),
    { place: "d.jsonl" },
  );
  fuzz(
    "lists of keys",
    () =>
      fc.oneof(
        text,
        garbledTree([["a/1/2", "b/3/4"], { format: "nemosaic-subset", version: 1, ids: ["a/1/2"] }]).map((tree) =>
          Buffer.from(JSON.stringify(tree) ?? ""),
        ),
      ),
    (bytes) => readKeys(placed(folder, "ids.json", bytes)),
    { place: "ids.json" },
  );
});
