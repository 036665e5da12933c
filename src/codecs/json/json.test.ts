import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NemosaicError } from "../../model/index.ts";
import { parseJson, readJson, readJsonArrays, readJsonLines, readJsonList } from "./index.ts";
import { findJsonError } from "./syntax-error.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "json-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string | Uint8Array): string {
  const path = join(folder, "x.json");
  writeFileSync(path, content);
  return path;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

async function errorOf(promise: Promise<unknown>): Promise<NemosaicError> {
  const error: unknown = await promise.then(
    (value) => value,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(NemosaicError);
  expect((error as Error).message).not.toContain("\n");
  return error as NemosaicError;
}

describe("readJsonLines", () => {
  it("numbers lines, with LF, CRLF, a byte order mark, blank lines and no last newline", async () => {
    const path = file('\ufeff{"a":1}\r\n\n  \n[2]\n"é\u2028"\r\n3');
    expect(await collect(readJsonLines(path))).toEqual([
      { value: { a: 1 }, line: 1 },
      { value: [2], line: 4 },
      { value: "é\u2028", line: 5 },
      { value: 3, line: 6 },
    ]);
    expect(await collect(readJsonLines(file("")))).toEqual([]);
    expect(await collect(readJsonLines(file("\n\n")))).toEqual([]);
  });

  it("reads lines that span chunks, and splits no character", async () => {
    const values = Array.from({ length: 40 }, (_, i) => ({ i, text: "é😀".repeat(i * 3001) }));
    const path = file(`${values.map((value) => JSON.stringify(value)).join("\n")}\n`);
    expect(await collect(readJsonLines(path))).toEqual(values.map((value, i) => ({ value, line: i + 1 })));
  });

  it("names line and column of what is no JSON, and keeps what came before", async () => {
    const path = file('{"a":1}\n{"a":1,}\n');
    const seen: unknown[] = [];
    const error = await errorOf(
      (async () => {
        for await (const item of readJsonLines(path)) seen.push(item);
      })(),
    );
    expect(seen).toHaveLength(1);
    expect(error).toMatchObject({ code: "bad-input" });
    expect(error.message).toMatch(/in line 2 of .*x\.json", column 8: expected a key in quotes/);
    expect((await errorOf(collect(readJsonLines(file('{"a": NaN}'))))).message).toMatch(
      /line 1 .*column 7.*NaN, which is not JSON/,
    );
  });

  it("refuses a line beyond the cap, before it is read whole", async () => {
    const path = file(`"short"\n"${"x".repeat(5_000_000)}"\n`);
    expect((await errorOf(collect(readJsonLines(path, { maxLineBytes: 1000 })))).message).toMatch(/line 2 is longer/);
    expect(await collect(readJsonLines(path))).toHaveLength(2);
    expect((await errorOf(collect(readJsonLines(file("123456789\n"), { maxLineBytes: 8 })))).message).toMatch(/line 1/);
    expect(await collect(readJsonLines(file("12345678\n"), { maxLineBytes: 8 }))).toHaveLength(1);
  });

  it("closes its file when the reader stops early, and names one that is not there", async () => {
    for await (const { line } of readJsonLines(file("1\n2\n"))) {
      expect(line).toBe(1);
      break;
    }
    expect((await errorOf(collect(readJsonLines(join(folder, "none.jsonl"))))).code).toBe("not-found");
  });
});

describe("readJson", () => {
  it("reads a file, with or without a byte order mark", async () => {
    expect(await readJson(file('\ufeff{"a": [1, "é"]}'))).toEqual({ a: [1, "é"] });
  });

  it("names line and column of an error", async () => {
    const cases: [string, RegExp][] = [
      ['{\n  "a": 1\n  "b": 2\n}', /line 3, column 3: expected "," or "}"/],
      ["[1, 2,]", /line 1, column 7: expected a value/],
      ["[1, 2", /line 1, column 6.*cut short/],
      ["", /line 1, column 1.*cut short/],
      ["{'a': 1}", /column 2: expected a key in quotes/],
      ['{"a" 1}', /column 6: expected ":"/],
      ["[1] x", /column 5: expected nothing more/],
      ['["a\nb"]', /line 1, column 4: expected control characters/],
      ['["a\\x"]', /column 4: expected an escape/],
      ['["abc', /column 2: expected the string's closing quote/],
      ["[01]", /column 2/],
      ["[Infinity]", /Infinity, which is not JSON/],
      ["[-Infinity]", /-Infinity, which is not JSON/],
      ["[undefined]", /column 2/],
      ["[}", /column 2/],
    ];
    for (const [text, words] of cases) expect((await errorOf(readJson(file(text)))).message, text).toMatch(words);
  });

  it("finds an error exactly where JSON.parse does not parse", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      "1",
      "-0.5e3",
      "true",
      "nul",
      " ",
      "\n",
      '"\\u12',
      "01",
      "-",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const text = pieces.join("");
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        expect(findJsonError(text) === undefined).toBe(valid);
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(findJsonError(text)).toBeUndefined();
        expect(parseJson(text, "x")).toEqual(JSON.parse(text));
      }),
    );
  });

  it("does not overflow on deep or long damage", async () => {
    expect((await errorOf(readJson(file("[".repeat(1_000_000))))).code).toBe("bad-input");
    expect((await errorOf(readJson(file(`["${"x".repeat(20_000_000)}`)))).code).toBe("bad-input");
  });
});

describe("JSON in another encoding", () => {
  const gbk = Buffer.concat([Buffer.from('{"a": ["x"],\n "b": [\n  "'), Buffer.from([0xba, 0xec]), Buffer.from('"]}')]);

  it("is refused with the line, the byte and what to do", async () => {
    const path = file(gbk);
    const place = /line 3, byte 24 of .*x\.json.*save the file as UTF-8/;
    await expect(readJson(path)).rejects.toThrow(place);
    await expect(collect(readJsonArrays(path))).rejects.toThrow(place);
    expect(await collect(readJsonArrays(path, ["a"]))).toEqual([{ key: "a", index: 0, value: "x" }]);
  });

  it("is told apart from UTF-8 of every length, wherever a chunk or a search ends", async () => {
    const words = ["ä", "€", "😀", "日本語", "plain"];
    for (let before = 0; before < 6; before++) {
      const sound = Buffer.from(JSON.stringify([...words, "x".repeat(before), ...words]));
      expect(await readJson(file(sound))).toEqual([...words, "x".repeat(before), ...words]);
      const at = sound.lastIndexOf("plain") + 2;
      const spoilt = Buffer.from(sound);
      spoilt[at] = 0xe9;
      await expect(readJson(file(spoilt))).rejects.toThrow(`line 1, byte ${at} of`);
    }
  });

  it("is refused as UTF-16, with a byte order mark or without", async () => {
    for (const text of ['{"a": [1]}', '\ufeff{"a": [1]}']) {
      const little = Buffer.from(text, "utf16le");
      for (const bytes of [little, Buffer.from(little).swap16()]) {
        const path = file(bytes);
        await expect(readJson(path)).rejects.toThrow(/UTF-16; save the file as UTF-8/);
        await expect(collect(readJsonArrays(path))).rejects.toThrow(/UTF-16; save the file as UTF-8/);
        await expect(collect(readJsonLines(path))).rejects.toThrow(/UTF-16; save the file as UTF-8/);
      }
    }
  });
});

describe("readJsonArrays", () => {
  const wanted = ["images", "annotations"];

  it("yields the elements of the arrays asked for and skips the rest", async () => {
    const path = file(
      `\ufeff { "info" : {"images": [1, {"x": "]}\\"["}]}, "n": -1.5e3, "images":[{"id":1},{"id":2, "s":"a]b,\\\\\\"c"}] ,"licenses":[[]],\n "empty":[], "annotations": [ 5 , "x" , null,[1,[2]] , {} ], "t":true}\n`,
    );
    expect(await collect(readJsonArrays(path, wanted))).toEqual([
      { key: "images", index: 0, value: { id: 1 } },
      { key: "images", index: 1, value: { id: 2, s: 'a]b,\\"c' } },
      { key: "annotations", index: 0, value: 5 },
      { key: "annotations", index: 1, value: "x" },
      { key: "annotations", index: 2, value: null },
      { key: "annotations", index: 3, value: [1, [2]] },
      { key: "annotations", index: 4, value: {} },
    ]);
    expect((await collect(readJsonArrays(path))).map(({ key }) => key)).toEqual([
      "images",
      "images",
      "licenses",
      "annotations",
      "annotations",
      "annotations",
      "annotations",
      "annotations",
    ]);
    expect(await collect(readJsonArrays(file("{}"), wanted))).toEqual([]);
    expect(await collect(readJsonArrays(file(' {"images" : [ ] } '), wanted))).toEqual([]);
  });

  it("agrees with JSON.parse whatever the content, whatever the chunks cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.constantFrom(0, 1, 2),
        fc.nat(12),
        async (values, indent, pad) => {
          // Padding moves the values over the border of the first chunk (4 MiB).
          const filler = "é".repeat(2 * 2 ** 20 - 30 + pad);
          const path = file(JSON.stringify({ skipped: filler, list: values, other: { list: values } }, null, indent));
          expect((await collect(readJsonArrays(path, ["list"]))).map(({ value }) => value)).toEqual(
            JSON.parse(JSON.stringify(values)),
          );
          writeFileSync(path, JSON.stringify([filler, ...values], null, indent));
          expect((await collect(readJsonList(path))).slice(1).map(({ value }) => value)).toEqual(
            JSON.parse(JSON.stringify(values)),
          );
        },
      ),
      { numRuns: 30 },
    );
  }, 120_000);

  it("errs on every truncation", async () => {
    const text = '{"info": {"a": "]"}, "images": [{"id": 1}, 22, "x\\""], "annotations": []}';
    for (let length = 0; length < text.length; length++) {
      const error = await errorOf(collect(readJsonArrays(file(text.slice(0, length)), wanted)));
      expect(error.code).toBe("bad-input");
      expect(error.message).toMatch(/byte \d+ of .*x\.json/);
    }
    expect(await collect(readJsonArrays(file(text), wanted))).toHaveLength(3);
  });

  it("says where and what is wrong", async () => {
    const cases: [string, RegExp][] = [
      ["[1]", /an object at the top at byte 0/],
      ['{"images": {"a": 1}}', /"images" to be an array at byte 11/],
      ['{"images": [1 2]}', /a comma or .*byte 14/],
      ['{"images": [{"a":01}]}', /in images\[0\] at byte 12/],
      ['{"images": [1,]}', /images\[1\]/],
      ['{"images": [1]} x', /nothing more at byte 16/],
      ['{"images": [{"area": NaN}]}', /NaN, which is not JSON/],
      ["{images: []}", /a key in quotes at byte 1/],
      ['{"images" []}', /a colon behind a key/],
    ];
    for (const [text, words] of cases)
      expect((await errorOf(collect(readJsonArrays(file(text), wanted)))).message, text).toMatch(words);
    expect((await errorOf(collect(readJsonList(file("{}"))))).message).toMatch(/an array at the top/);
  });

  it("refuses an element beyond the cap", async () => {
    const path = file(`{"images": ["${"x".repeat(9_000_000)}"]}`);
    expect((await errorOf(collect(readJsonArrays(path, wanted, { maxValueBytes: 1_000_000 })))).message).toMatch(
      /longer one at byte 12/,
    );
  });

  it("reads 12 MB, over many chunks", async () => {
    const annotation = {
      id: 1,
      image_id: 2,
      bbox: [1.5, 2.5, 100.25, 200.5],
      segmentation: [Array.from({ length: 40 }, (_, i) => i * 3.37)],
      iscrowd: 0,
    };
    const path = file(
      JSON.stringify({ images: [], annotations: Array.from({ length: 30_000 }, (_, id) => ({ ...annotation, id })) }),
    );
    let count = 0;
    for await (const { value } of readJsonArrays(path, wanted)) {
      if (count === 29_999) expect(value).toEqual({ ...annotation, id: count });
      count++;
    }
    expect(count).toBe(30_000);
  });
});
