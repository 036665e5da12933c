import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { scratchFolder, smallSource } from "../../test/small-pool.ts";
import { hashFile } from "../io/index.ts";
import { NemosaicError } from "../model/index.ts";
import { importDataset } from "../steps/index.ts";
import { listenerOf, report } from "./session.ts";
import { parseShard } from "./shard.ts";

afterEach(() => vi.restoreAllMocks());

describe("the options of a command", () => {
  it("are those that it heeds: a shared option stands in its help only where the command reads it", () => {
    const commands = join(import.meta.dirname, "commands");
    const unread = readdirSync(commands).flatMap((file) => {
      const text = readFileSync(join(commands, file), "utf8");
      const code = text.replaceAll(/rm\([^)]*force: true[^)]*\)/g, "");
      const [, heeded = ""] = /withShared\([^{;]*?(?:, (\{.*?\}))?\)\s/.exec(text) ?? [];
      const isRead = {
        sampling: /readSettings\(|settingsPath\(/,
        seed: /\bseed\b(?!: false)/,
        force: /\bforce\b(?!: false)/,
      };
      return Object.entries(isRead)
        .filter(([name, reads]) => heeded.includes(`${name}: false`) === reads.test(code))
        .map(([name]) => `${file}: ${name}`);
    });
    expect(unread).toEqual([]);
  });
});

describe("what a command says", () => {
  it("keeps an import's warnings with --quiet, and drops its remarks", async () => {
    const folder = await scratchFolder();
    await smallSource(folder, { images: 1, valImages: 0 });
    await mkdir(join(folder, "seqtr"));
    const entry = {
      image_id: 0,
      bbox: [1, 1, 5, 5],
      expressions: ["the box"],
      height: 30,
      width: 40,
      cat: 1,
      iscrowd: 0,
    };
    const instances = { train: [{ ...entry, img_name: "0.png", mask: [[1, 1, 5, 1, 5, 5]] }] };
    await writeFile(join(folder, "seqtr", "instances.json"), JSON.stringify(instances));
    const said: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      said.push(String(text));
      return true;
    });
    const given = { format: "seqtr", source: join(folder, "seqtr"), images: join(folder, "images") };
    const importing = importDataset(join(folder, "pool"), { ...given, onBad: "skip" }, listenerOf({ quiet: true }));
    await importing.catch(() => undefined);
    expect(said.join("")).toMatch(/^warning: .*SeqTR's file holds referred objects only/m);
    await rm(folder, { recursive: true });
  });
});

describe("an error", () => {
  const said = (error: unknown, debug: boolean): string => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(String(text)) > 0);
    const before = process.exitCode;
    report(error, debug);
    process.exitCode = before;
    vi.restoreAllMocks();
    return lines.join("");
  };

  it("of half a screen is cut in its middle, so that what to do stays; --debug tells all of it", () => {
    const names = Array.from({ length: 40 }, (_, at) => `image-number-${at}.png (640 × 480, expected 480 × 480)`);
    const message = `40 predictions are of another size: ${names.join(", ")}; save them at 480 × 480, or pass --wrong-size resize`;
    const line = said(new NemosaicError("bad-input", message), false);
    expect(line.length).toBeLessThan(450);
    expect(line).toMatch(
      /^nemosaic: 40 predictions are of another size: image-number-0.* … .*or pass --wrong-size resize \(all of it with --debug\)\n$/,
    );
    expect(said(new NemosaicError("bad-input", message), true)).toContain(`nemosaic: ${message}\n`);
    expect(said(new NemosaicError("bad-input", "expected 1, got 2"), false)).toBe("nemosaic: expected 1, got 2\n");
  });

  it("of the operating system's names the file and what to do, and is no fault of ours", async () => {
    const folder = await scratchFolder();
    const error = await hashFile(folder).catch((caught: Error) => caught);
    expect(said(error, false)).toBe(`nemosaic: cannot read "${folder}": expected a file, found a folder\n`);
    const full = Object.assign(new Error("EMFILE: too many"), { code: "EMFILE", syscall: "open", path: "a.jpg" });
    expect(said(full, false)).toBe('nemosaic: cannot open "a.jpg": too many open files; raise `ulimit -n`\n');
    expect(said(new TypeError("x is not a function"), false)).toMatch(/unexpected error: x is not a function/);
    await rm(folder, { recursive: true });
  });
});

describe("--shard", () => {
  it("says what is wrong with a share of nothing", () => {
    expect(parseShard("2/8", {})).toEqual({ index: 2, count: 8 });
    for (const text of ["0/0", "1/0", "auto/0"])
      expect(() => parseShard(text, { JOB_COMPLETION_INDEX: "0" })).toThrow(
        /expected --shard i\/n with an n of 1 or more, got/,
      );
  });
});
