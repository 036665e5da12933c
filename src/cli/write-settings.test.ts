import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scratchFolder } from "../../test/small-pool.ts";
import { parseSettings } from "../settings/index.ts";
import { readSettingsTree, writeBandSettings } from "./write-settings.ts";

const band = { risk: 0.05, tau: null, margin: null, ratio: null, k: 30, prefer: "kind" };

it("writes advised bands into a new file, changes one that is there only when forced, and keeps what else it holds", async () => {
  const path = join(await scratchFolder(), "nemosaic.json");
  const write = async (force = false) => writeBandSettings(path, await readSettingsTree(path), band, force);
  expect(await write()).toMatch(/^wrote ".*nemosaic.json": band.risk = 0.05, band.tau = null/);
  expect(parseSettings(JSON.parse(await readFile(path, "utf8")), "it").band).toMatchObject(band);
  expect(await write()).toMatch(/holds this already/);

  const own = '{"$schema":"s.json","preset":"nemo-tau","size":320,"band":{"tau":0.3,"minScore":0.1,"k":30}}';
  await writeFile(path, own);
  await expect(write()).rejects.toThrow(/would change \(band.risk = 0.05, band.tau = null, .*--force/);
  expect(await readFile(path, "utf8")).toBe(own);
  await write(true);
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
    $schema: "s.json",
    preset: "nemo-tau",
    size: 320,
    band: { ...band, minScore: 0.1 },
  });
});

it("leaves the file alone where nothing is advised, and refuses a damaged one before the work", async () => {
  const path = join(await scratchFolder(), "nemosaic.json");
  expect(await writeBandSettings(path, undefined, null, true)).toMatch(/left as it is: there is no advice to write/);
  await expect(readFile(path)).rejects.toThrow();
  await expect(readSettingsTree(join(path, ".."))).rejects.toThrow(
    /expected a settings file at ".*", and it cannot be read/,
  );
  await writeFile(path, '{"band":');
  await expect(readSettingsTree(path)).rejects.toThrow(/expected JSON/);
  await writeFile(path, '{"band":{"kk":1}}');
  await expect(readSettingsTree(path)).rejects.toThrow(/kk/);
});
