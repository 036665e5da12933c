/// <reference lib="dom" />
import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { encodePng } from "../../src/codecs/index.ts";
import { rleToMask } from "../../src/kernels/index.ts";
import { Pool } from "../../src/pool/index.ts";
import { scratchFolder, smallPool } from "../small-pool.ts";
import { nemosaic, openChromium, type StudioProcess, scenesPool, startStudioProcess } from "./studio-process.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** NEMOSAIC_PICTURES=1 renews the pictures of docs/studio.md, with the model of NEMOSAIC_MODEL where that is set. */
const pictures = resolve(import.meta.dirname, "..", "..", "docs", "images");
const isPicturing = process.env.NEMOSAIC_PICTURES === "1";

let folder: string;
let poolFolder: string;
let studio: StudioProcess;
let browser: Browser;
let page: Page;
let problems: string[] = [];

beforeAll(async () => {
  folder = await scratchFolder();
  poolFolder = await scenesPool(
    folder,
    isPicturing ? 300 : 60,
    (isPicturing && process.env.NEMOSAIC_MODEL) || "lexical",
  );
  await writePredictions();
  studio = await startStudioProcess(poolFolder, folder);
  browser = await openChromium();
  page = await open();
});

afterAll(async () => {
  await browser?.close();
  await studio?.stop();
});

afterEach(() => {
  expect(problems).toEqual([]);
});

/** A page that notes every error on its console and every request that leaves the studio. */
async function open(options: { width?: number; height?: number; dark?: boolean } = {}): Promise<Page> {
  const { width = 1440, height = 1000, dark = false } = options;
  const opened = await browser.newPage({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
  problems = [];
  opened.on("pageerror", (error) => problems.push(error.message));
  opened.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/40[0-9]|409/.test(message.text()))
      problems.push(message.text());
  });
  opened.on("request", (request) => {
    if (!request.url().startsWith(studio.url) && !request.url().startsWith("data:"))
      problems.push(`request to ${request.url()}`);
  });
  return opened;
}

async function visit(query = "", on = page): Promise<void> {
  await on.goto(studio.url + query);
  await on.locator("h1, .overview .stat, .evaluate").first().waitFor();
}

async function picture(name: string, on = page): Promise<void> {
  await on.waitForTimeout(isPicturing ? 1200 : 0);
  if (isPicturing) await on.screenshot({ path: join(pictures, `studio-${name}.png`) });
}

const title = () => page.locator("h1").innerText();
const bandSize = async () => Number((await page.locator(".panel .big").innerText()).replaceAll(",", ""));
const listed = async () => Number((await page.locator(".list .head [role=status] b").innerText()).replaceAll(",", ""));

describe("Explore", () => {
  it("shows the list and the first expression with its band, candidates and mosaics", async () => {
    await visit();
    const pool = await Pool.open(poolFolder);
    expect(await listed()).toBe(pool.expressions.count);
    expect(await title()).toBe(`“${pool.expressions.sent[0]}”`);
    await pool.close();
    expect(await bandSize()).toBeGreaterThan(0);
    await page.locator(".picture[role=img][aria-label^='Mosaic:']").nth(3).waitFor();
    expect(await page.locator(".candidate").count()).toBeGreaterThan(4);
    await page.waitForFunction(() => [...document.images].slice(0, 6).every((image) => image.naturalWidth > 0));
    await picture("explore");
  });

  it("goes by keys: j, k, search with /, Esc, help with ?", async () => {
    await visit();
    const first = await title();
    await page.keyboard.press("j");
    await expect.poll(title).not.toBe(first);
    await page.keyboard.press("k");
    await expect.poll(title).toBe(first);
    await page.keyboard.press("/");
    await page.keyboard.type("left");
    expect(await page.inputValue("#search")).toBe("left");
    const found = await listed();
    await expect.poll(() => page.locator(".row .text").first().innerText()).toMatch(/left/i);
    await page.keyboard.press("Escape");
    await expect.poll(listed).toBeGreaterThan(found);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  });

  it("filters by facets with their counts, and keeps all of it in the address", async () => {
    await visit();
    const label = page
      .locator("fieldset", { hasText: "Position words" })
      .locator("label", { hasText: "in the picture" });
    const count = Number((await label.locator(".number").innerText()).replaceAll(",", ""));
    await label.click();
    await expect.poll(listed).toBe(count);
    await page.selectOption("#sort", "words");
    await page.locator(".direction").click();
    await expect.poll(() => page.url()).toMatch(/f=position.*sort=-words/);
    const text = await page.locator(".row .text").first().innerText();
    await page.reload();
    await expect.poll(listed).toBe(count);
    expect(await page.locator(".row .text").first().innerText()).toBe(text);
    await page.getByRole("button", { name: "Clear all" }).first().click();
    await expect.poll(listed).toBeGreaterThan(count);
  });

  it("says when nothing matches", async () => {
    await page.goto(`${studio.url}?q=zzzzqqq`);
    await page.getByText("No expression matches.").waitFor();
    await page.getByRole("button", { name: "Clear all filters" }).click();
    await expect.poll(listed).toBeGreaterThan(0);
  });
});

describe("Expression", () => {
  it("bands anew while τ is dragged, by pointer and by keys, and keeps τ in the address", async () => {
    await visit();
    const handle = page.getByRole("slider", { name: /^τ, the highest/ });
    const box = (await handle.boundingBox())!;
    const before = await page.locator(".drops").innerText();
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 120, { steps: 8 });
    await page.mouse.up();
    await expect.poll(() => page.locator(".drops").innerText()).not.toBe(before);
    await expect.poll(() => page.url()).toMatch(/set=band\.tau%3D/);
    const tau = Number(await handle.getAttribute("aria-valuenow"));
    await handle.focus();
    await page.keyboard.press("ArrowUp");
    expect(Number(await handle.getAttribute("aria-valuenow"))).toBeCloseTo(tau + 0.002, 6);
  });

  it("drags K on the strip: the band is as large as the cards up to the line", async () => {
    await visit();
    await page.getByRole("button", { name: "to the best" }).click();
    await page.getByLabel("K", { exact: true }).fill("3");
    await page.keyboard.press("Enter");
    await expect.poll(bandSize).toBe(3);
    await page.getByRole("button", { name: "to K" }).click();
    await page.waitForTimeout(200);
    const mark = page.locator(".mark.k");
    const box = (await mark.boundingBox())!;
    await page.mouse.move(box.x + 6, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 6 - 130, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await expect.poll(bandSize).toBe(2);
    expect(await page.locator(".candidate.band").count()).toBe(2);
  });

  it("writes a verdict that the band respects at once, and takes it back", async () => {
    await visit("?set=band.k%3D5");
    await page.getByRole("button", { name: "to K" }).click();
    const card = page.locator(".candidate.band").first();
    await card.waitFor();
    const id = await card.getAttribute("id");
    await card.click();
    await page.locator(".closeup").waitFor();
    await picture("candidate");
    await page.getByRole("button", { name: /This is a false negative/ }).click();
    await expect.poll(() => page.locator(`#${id} .rule`).innerText()).toBe("false negative");
    const lines = async () =>
      (await readFile(join(poolFolder, "judgements.jsonl"), "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    await expect.poll(async () => (await lines().catch(() => [])).length).toBe(1);
    expect((await lines())[0]).toMatchObject({
      verdict: "false-negative",
      expression: expect.stringMatching(/\//),
      image: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(() => page.locator(`#${id} .rule`).innerText()).toBe("band");
    await expect.poll(async () => (await lines()).length).toBe(2);
    await page.locator(`#${id}`).focus();
    await page.keyboard.press("f");
    await expect.poll(() => page.locator(`#${id} .rule`).innerText()).toBe("false negative");
    await page.keyboard.press("f");
    await expect.poll(async () => (await lines()).at(-1).verdict).toBe("negative");
  });

  it("draws other mosaics on r and another grid by its switch; m hides masks", async () => {
    await visit();
    const caption = () => page.locator("figcaption[title]").first().innerText();
    await page.locator(".picture[aria-label^='Mosaic:']").first().waitFor();
    const first = await caption();
    await page.keyboard.press("r");
    await expect.poll(caption).not.toBe(first);
    await page.getByRole("radio", { name: "3×3" }).click();
    await expect.poll(async () => (await caption()).split("#").length - 1).toBe(8);
    const mask = page.locator(".expression canvas").first();
    expect(await mask.isVisible()).toBe(true);
    await page.keyboard.press("m");
    await expect.poll(() => mask.isVisible()).toBe(false);
  });
});

describe("Settings", () => {
  it("saves nemosaic.json, says the command, and asks before it writes over a changed file", async () => {
    await visit("?set=band.k%3D17");
    await page.keyboard.press("s");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText(/nemosaic serve .*--settings/).waitFor();
    await picture("settings");
    const file = join(folder, "nemosaic.json");
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ band: { k: 17 } });
    await writeFile(file, '{"band":{"k":99}}');
    await page.locator("#set-band\\.k").fill("18");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByRole("button", { name: "Overwrite" }).waitFor();
    expect(await readFile(file, "utf8")).toMatch(/99/);
    await page.getByRole("button", { name: "Overwrite" }).click();
    await expect.poll(async () => JSON.parse(await readFile(file, "utf8")).band.k).toBe(18);
    // What was saved is what training reads.
    expect(await nemosaic(["stats", poolFolder, "--json", "--quiet"], folder)).toMatch(/"k": 18/);
  });
});

describe("Overview", () => {
  it("shows scores, coverage and reuse; a click on a bar filters the list", async () => {
    await visit("?view=overview");
    await page.locator(".plot svg").first().waitFor();
    await page.locator(".grid button[data-measure]").first().waitFor();
    await picture("overview");
    await page.locator(".plot [data-key] rect").last().click();
    await page.locator(".row").first().waitFor();
    expect(await page.locator(".active").innerText()).toMatch(/own score/);
    const found = await listed();
    expect(found).toBeGreaterThan(0);
    await expect.poll(() => page.url()).toMatch(/own=/);
    await visit("?view=overview");
    const bar = page.locator(".bars button").first();
    await bar.waitFor();
    const count = Number((await bar.locator(".number").innerText()).replaceAll(",", ""));
    await bar.click();
    await expect.poll(listed).toBe(count);
  });

  it("sets τ and K by a cell of the grid", async () => {
    await visit("?view=overview");
    await page.locator(".grid button[data-measure]").first().waitFor();
    const name = (await page.locator(".grid button[data-measure]").nth(20).getAttribute("aria-label")) ?? "";
    await page.locator(".grid button[data-measure]").nth(20).click();
    const [, tau = "", k = ""] = /τ (.*), K (\d+)/.exec(name) ?? [];
    await expect.poll(() => page.locator(".basis").innerText()).toContain(`K ${k}`);
    expect(await page.locator(".basis").innerText()).toContain(`τ ${tau}`);
  });
});

describe("Evaluate", () => {
  it("opens a result and its samples, and leads from a case to its expression", async () => {
    await visit("?view=evaluate");
    await page.setInputFiles("input[type=file]", [join(folder, "result.json"), join(folder, "samples.jsonl")]);
    await page.locator(".metric").first().waitFor();
    await page.locator(".plot svg").first().waitFor();
    await picture("evaluate");
    const shown = page.locator("section[aria-label=Cases] li button").first();
    const text = await shown.locator(".text").innerText();
    await shown.click();
    await expect.poll(title).toBe(`“${text}”`);
  });

  it("says what is wrong with another file", async () => {
    await visit("?view=evaluate");
    await writeFile(join(folder, "other.json"), '{"format":"coco"}');
    await page.setInputFiles("input[type=file]", join(folder, "other.json"));
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/other\.json.*nemosaic-evaluation/);
  });
});

describe("every view", () => {
  it.each([false, true])("has no serious finding of axe (dark: %s)", async (dark) => {
    const own = await open({ dark, height: 1300 });
    try {
      const open = ["", "?view=overview", "?view=evaluate"];
      for (const query of open) {
        await visit(query, own);
        if (query === "") await own.locator(".picture[aria-label^='Mosaic:']").nth(3).waitFor();
        if (query === "") await own.locator(".candidate").first().click();
        await own.waitForTimeout(400);
        expect(await seriousFindings(own), query).toEqual([]);
      }
      await own.keyboard.press("s");
      await own.waitForTimeout(300);
      expect(await seriousFindings(own), "settings").toEqual([]);
      await own.keyboard.press("?");
      await own.waitForTimeout(300);
      expect(await seriousFindings(own), "help").toEqual([]);
      if (dark) {
        await visit("", own);
        await own.locator(".picture[aria-label^='Mosaic:']").nth(3).waitFor();
        await picture("dark", own);
      }
    } finally {
      await own.close();
    }
  });

  it.each([1280, 1600, 1920])("fits %s pixels without scrolling sideways", async (width) => {
    const own = await open({ width, height: 900 });
    try {
      for (const query of ["", "?view=overview", "?view=evaluate"]) {
        await visit(query, own);
        const wide = await own.evaluate(() =>
          [document.documentElement, ...document.querySelectorAll("main *, header *")]
            .filter(
              (one) =>
                !one.closest(".cards, svg, .hidden") &&
                one.scrollWidth > one.clientWidth + 1 &&
                getComputedStyle(one).overflowX === "visible" &&
                one.clientWidth > 0 &&
                getComputedStyle(one).display !== "inline",
            )
            .map((one) => `${one.tagName}.${one.className}`),
        );
        expect(wide, query).toEqual([]);
      }
    } finally {
      await own.close();
    }
  });

  it("says what to do where nothing is mined", async () => {
    const bare = await smallPool({ images: 4, valImages: 1 });
    await bare.close();
    const other = await startStudioProcess(bare.folder, folder);
    const own = await browser.newPage();
    try {
      await own.goto(other.url);
      await own.getByText("No candidates yet").waitFor();
      await own.getByText(/nemosaic mine /).waitFor();
      await own.goto(`${other.url}?view=overview`);
      await own.getByText("No candidates yet").waitFor();
    } finally {
      await own.close();
      await other.stop();
    }
  });
});

async function seriousFindings(on: Page): Promise<string[]> {
  // By evaluation, which the page's policy does not bind.
  await on.evaluate(axe);
  return on.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run(): Promise<{
          violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 260)}`),
      );
  });
}

/** Predictions that are the truth moved to the right, some far, some not: an evaluator's result with good and bad cases. */
async function writePredictions(): Promise<void> {
  const pool = await Pool.open(poolFolder);
  const out = join(folder, "predictions");
  await mkdir(out);
  for (let row = 0; row < pool.expressions.count; row++) {
    const ref = pool.expressions.ref[row] as number;
    if (pool.refs.split[ref] !== "val") continue;
    const image = pool.refs.image[ref] as number;
    const [width, height] = [pool.images.width[image] as number, pool.images.height[image] as number];
    const truth = rleToMask(pool.mask(image, pool.targetsOfRef(ref)));
    const by = (row * 37) % 60;
    const data = Uint8Array.from(truth, (_, at) => (at % width >= by && truth[at - by] === 1 ? 255 : 0));
    await writeFile(
      join(out, `${pool.expressions.id[row]}.png`),
      await encodePng({ width, height, channels: 1, data }),
    );
  }
  await pool.close();
  const text = await nemosaic(
    [
      "evaluate",
      out,
      "--truth",
      poolFolder,
      "--preset",
      "cris",
      "--split",
      "val",
      "--sentences",
      "all",
      "--json",
      "--quiet",
      "--samples",
      "samples.jsonl",
      "--ids-are",
      "sentence",
    ],
    folder,
  );
  await writeFile(join(folder, "result.json"), text);
}
