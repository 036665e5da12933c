import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hubAccess } from "./index.ts";
import { openRelevance, relevanceNames } from "./open-relevance.ts";

const tinyClip = join(import.meta.dirname, "../../test/fixtures/tiny-clip/model");
let cacheDir = "";
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "nemosaic-relevance-"));
});
afterAll(() => rm(cacheDir, { recursive: true }));
const offline = () => ({ hub: hubAccess({}, { offline: true, cacheDir }) });

describe("openRelevance", () => {
  it("opens a model's folder", async () => {
    const relevance = await openRelevance(tinyClip, offline());
    expect(relevance.kind).toBe("clip");
    if (relevance.kind === "clip") await relevance.model.close();
  });

  it("says plainly that lexical is not CLIP", async () => {
    expect(await openRelevance("lexical", offline())).toMatchObject({
      kind: "lexical",
      notes: [expect.stringContaining("not CLIP")],
    });
  });

  it("takes lexical for auto only where no model can be had, with the reason", async () => {
    const relevance = await openRelevance("auto", offline());
    expect(relevance.kind).toBe("lexical");
    expect(relevance.notes.join("\n")).toMatch(/no image-text model can be had: .*downloads are off[\s\S]*not CLIP/);
    const unreachable = { hub: hubAccess({}, { cacheDir, endpoint: "http://127.0.0.1:9", retryAfterMs: [] }) };
    expect((await openRelevance("auto", unreachable)).notes.join()).toContain("could not reach 127.0.0.1:9");
  });

  it("says of a hub that cannot be reached what to do: a mirror, or the model's files here", async () => {
    const unreachable = { hub: hubAccess({}, { cacheDir, endpoint: "http://127.0.0.1:9", retryAfterMs: [] }) };
    await expect(openRelevance("some/model", unreachable)).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(
        /could not reach 127\.0\.0\.1:9: .*HF_ENDPOINT, or copy .* pass that with --model/,
      ),
    });
  });

  it("fails for clip where its model cannot be had, and suggests the nearest name for another", async () => {
    await expect(openRelevance("clip", offline())).rejects.toMatchObject({
      code: "offline",
      message: expect.stringMatching(
        /downloads are off.*; without it, choose another model: --model FOLDER .*--model lexical/,
      ),
    });
    await expect(openRelevance("lexcal", offline())).rejects.toThrow('Did you mean "lexical"?');
    expect(relevanceNames).toEqual(["clip", "scene-clip", "lexical", "auto"]);
  });
});
