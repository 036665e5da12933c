import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { scratchFolder } from "./small-pool.ts";

const root = resolve(import.meta.dirname, "..");
const main = join(root, "dist", "cli", "main.js");
let folder: string;

/** Runs a line of shell as a reader would paste it, with `nemosaic` being the built command. */
function paste(line: string): { status: number | null; output: string } {
  const shell = `nemosaic() { "${process.execPath}" "${main}" "$@"; }; ${line}`;
  const run = spawnSync("bash", ["-c", shell], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
    timeout: 110_000,
  });
  return { status: run.status, output: `${run.stdout}${run.stderr}` };
}

beforeAll(async () => {
  if (!existsSync(main)) throw new Error(`${main} is not there: run "npm run build" first (npm test does)`);
  folder = await scratchFolder();
});

describe("the README", () => {
  it("has commands that run as they stand", { timeout: 300_000 }, () => {
    const blocks = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/```sh\n([\s\S]*?)```/g)].map(
      ([, code = ""]) => code,
    );
    const lines = blocks.flatMap((code) => code.split("\n")).filter((line) => line.startsWith("nemosaic "));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      const { status, output } = paste(line);
      expect(status, `${line}\n${output}`).toBe(0);
    }
    expect(existsSync(join(folder, "preview.png"))).toBe(true);
  });

  it("is followed by helps whose examples run when pasted", { timeout: 300_000 }, () => {
    // What the README's lines left in the folder is there; a drawing or picture may be replaced.
    for (const command of ["scenes", "import", "mine", "stats", "plan", "draw", "doctor", "tiles"]) {
      const help = paste(`nemosaic ${command} --help`).output;
      const examples = help
        .slice(help.search(/^Examples?:/m))
        .split("\n")
        .filter((line) => /^ {2}nemosaic /.test(line));
      expect(examples.length, `${command}\n${help}`).toBeGreaterThan(0);
      for (const example of examples) {
        const { status, output } = paste(example);
        expect(status, `${example}\n${output}`).toBe(0);
      }
    }
  });
});
