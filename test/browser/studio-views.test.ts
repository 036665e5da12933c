/// <reference lib="dom" />
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { percent } from "../../src/studio/page/chart/format.ts";
import { smallPool } from "../small-pool.ts";
import { writePredictions } from "./predictions.ts";
import { listedOn, picture, type StudioFixture, seriousFindings, withStudio } from "./studio-fixture.ts";
import { nemosaic, startStudioProcess } from "./studio-process.ts";

let page: Page;
let fixture: StudioFixture;
withStudio(async (made) => {
  fixture = made;
  page = made.page;
  await writePredictions(made.folder, made.pool);
});

const visit = (query?: string, on?: Page) => fixture.visit(query, on);
const title = () => page.locator("h1").innerText();
const listed = () => listedOn(page);
/** The overview works through its sample first. */
const patience = { timeout: 20_000 };

describe("Overview", () => {
  it("shows scores, coverage and reuse; a click on a bar filters the list", async () => {
    await visit("?view=overview");
    await page.locator(".plot svg").first().waitFor();
    await page.locator(".grid button[data-measure]").first().waitFor();
    await picture("overview", page);
    const column = page.getByRole("button", { name: /^own score/ }).last();
    const said = Number(
      /list ([\d,]+)/.exec((await column.getAttribute("aria-label")) ?? "")?.[1]?.replaceAll(",", ""),
    );
    await column.click();
    await page.locator(".row").first().waitFor();
    expect(await page.locator(".active").innerText()).toMatch(/own score/);
    expect(said).toBeGreaterThan(0);
    await expect.poll(listed, patience).toBe(said);
    await expect.poll(() => page.url()).toMatch(/own=/);
    await page.reload();
    await expect.poll(listed, patience).toBe(said);
    await page.goBack();
    await page.locator(".overview .stat").first().waitFor();
    await page.goForward();
    await expect.poll(listed, patience).toBe(said);
    await visit("?view=overview");
    const bar = page.locator(".bars button").first();
    await bar.waitFor();
    const count = Number((await bar.locator(".number").innerText()).replaceAll(",", ""));
    await bar.click();
    await expect.poll(listed).toBe(count);
  });

  it("goes along the columns by arrow keys, one stop for Tab; Enter filters", async () => {
    await visit("?view=overview");
    const columns = page.getByRole("button", { name: /^own score/ });
    await columns.first().waitFor();
    expect(await columns.evaluateAll((all) => all.filter((one) => (one as HTMLElement).tabIndex === 0).length)).toBe(1);
    await columns.first().focus();
    await page.keyboard.press("ArrowRight");
    const label = await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
    expect(label).toBe(await columns.nth(1).getAttribute("aria-label"));
    await page.keyboard.press("Enter");
    await expect.poll(listed).toBe(Number(/list ([\d,]+)/.exec(label)?.[1]?.replaceAll(",", "")));
  });

  it("filters by how often images are used, also after a reload", async () => {
    await visit("?view=overview");
    await page
      .getByRole("button", { name: /bands: list the expressions/ })
      .last()
      .click();
    await expect.poll(() => page.url(), patience).toMatch(/uses=/);
    await expect.poll(() => page.locator(".active").innerText(), patience).toMatch(/image in \d+ to \d+ bands/);
    const found = await listed();
    expect(found).toBeGreaterThan(0);
    await page.reload();
    await expect.poll(() => page.locator(".active").innerText(), patience).toMatch(/image in \d+ to \d+ bands/);
    await expect.poll(listed, patience).toBe(found);
  });

  it("estimates false negatives as the command tune does, and leads to the worst", async () => {
    await visit("?view=overview");
    const text = await nemosaic(["tune", fixture.pool, "--sample", "100000", "--json", "--quiet"], fixture.folder);
    const { now, expressions } = JSON.parse(text) as { now: { falseNegatives: number }; expressions: number };
    expect(expressions).toBeLessThan(1000); // the page looks at as many at most
    await page.getByText(/over [\d,]+ expressions\. This is an estimate/).waitFor();
    await expect
      .poll(() => page.locator(".stat", { hasText: "by estimate" }).locator("b").innerText(), patience)
      .toBe(`≈ ${percent(now.falseNegatives)}`);
    expect(now.falseNegatives).toBeGreaterThan(0);
    await page.getByRole("radio", { name: "false negatives" }).click();
    await expect
      .poll(() => page.locator(".grid button[data-measure]").first().getAttribute("aria-label"))
      .toMatch(/%$/);
    await picture("false-negatives", page);
    const worst = page.locator(".worst button").first();
    const said = await worst.locator(".said").innerText();
    await worst.click();
    await expect.poll(title).toBe(`“${said}”`);
  });

  it("goes through the grid by arrow keys", async () => {
    await visit("?view=overview");
    const here = page.locator(".grid button[data-measure][tabindex='0']");
    await here.focus();
    const before = await here.getAttribute("id");
    await page.keyboard.press("ArrowUp");
    const after = await page.evaluate(() => document.activeElement?.id);
    expect(after).toMatch(/^cell-/);
    expect(after).not.toBe(before);
  });

  it("shows band, random image and own image side by side", async () => {
    await visit("?view=overview");
    const table = page.locator("table", { hasText: "random image" });
    const cells = (row: string) => table.locator("tr", { hasText: row }).locator("td").allInnerTexts();
    const [band, random] = (await cells("hard")).map((text) => Number(text.replace(" %", "")));
    expect(band).toBeGreaterThan(random!);
    const [isTrue, randomly] = (await cells("estimated to be true")).map((text) => Number(text.replace(" %", "")));
    expect(isTrue).toBeLessThan(randomly!);
  });

  it("sets the risk and K by a cell of the grid, and says which rule is in force", async () => {
    await visit("?view=overview");
    await page.locator(".grid button[data-measure]").first().waitFor();
    const name = (await page.locator(".grid button[data-measure]").nth(20).getAttribute("aria-label")) ?? "";
    await page.locator(".grid button[data-measure]").nth(20).click();
    const [, risk = "", k = ""] = /risk (.*), K (\d+)/.exec(name) ?? [];
    await expect.poll(() => page.locator(".basis").innerText()).toContain(`K ${k}`);
    expect(await page.locator(".basis").innerText()).toContain(`risk: at most ${risk} estimated chance to be true`);
    expect(await page.locator(".basis").innerText()).toMatch(/annotated in their image/);
  });
});

describe("Evaluate", () => {
  it("opens a result and its samples, and leads from a case to its expression", async () => {
    await visit("?view=evaluate");
    await page.setInputFiles("input[type=file]", [
      join(fixture.folder, "result.json"),
      join(fixture.folder, "samples.jsonl"),
    ]);
    await page.locator(".metric").first().waitFor();
    await page.locator(".plot svg").first().waitFor();
    await picture("evaluate", page);
    // A preset without no-target samples: neither N-acc nor the names of GRES.
    expect(await page.locator(".metric .soft:first-child").allInnerTexts()).toEqual([
      "oIoU",
      "mIoU",
      "P@0.5",
      "P@0.6",
      "P@0.7",
      "P@0.8",
      "P@0.9",
    ]);
    // Both masks are drawn over the image: green of the truth, pink of the prediction.
    const painted = () =>
      page
        .locator("section[aria-label=Cases] canvas")
        .first()
        .evaluate((one) => {
          const { width, height } = one as HTMLCanvasElement;
          const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
          context.drawImage(one as HTMLCanvasElement, 0, 0);
          const { data } = context.getImageData(0, 0, width, height);
          const has = ([red, green, blue]: number[]) =>
            Array.from({ length: data.length / 4 }, (_, at) => at * 4).some(
              (at) => data[at] === red && data[at + 1] === green && data[at + 2] === blue,
            );
          return [has([46, 204, 113]), has([255, 45, 149])];
        });
    await page.getByLabel("Order of the cases").selectOption("best first");
    await expect.poll(painted, patience).toEqual([true, true]);
    await page.getByLabel("Order of the cases").selectOption("worst first");
    const shown = page.locator("section[aria-label=Cases] li button").first();
    const text = await shown.locator(".text").innerText();
    await shown.click();
    await expect.poll(title).toBe(`“${text}”`);
  });

  it("holds a second file of samples against the first: largest gains, then losses", async () => {
    await visit("?view=evaluate");
    const text = await readFile(join(fixture.folder, "samples.jsonl"), "utf8");
    const better = text
      .trim()
      .split("\n")
      .map((line, at) =>
        JSON.stringify({ ...JSON.parse(line), iou: at === 2 ? 1 : at === 3 ? 0 : JSON.parse(line).iou }),
      );
    await writeFile(join(fixture.folder, "better.jsonl"), better.join("\n"));
    await page.setInputFiles("input[type=file]", [
      join(fixture.folder, "samples.jsonl"),
      join(fixture.folder, "better.jsonl"),
    ]);
    await expect.poll(title).toBe("better.jsonl against samples.jsonl");
    const first = page.locator("section[aria-label=Cases] li .line b").first();
    await expect.poll(() => first.innerText()).toMatch(/→ 1\.00$/);
    await page.getByLabel("Order of the cases").selectOption("largest losses");
    await expect.poll(() => first.innerText()).toMatch(/→ 0\.00$/);
    await picture("gains", page);
  });

  it("says what is wrong with another file", async () => {
    await visit("?view=evaluate");
    await writeFile(join(fixture.folder, "other.json"), '{"format":"coco"}');
    await page.setInputFiles("input[type=file]", join(fixture.folder, "other.json"));
    await expect.poll(() => page.getByRole("alert").innerText(), patience).toMatch(/other\.json.*nemosaic-evaluation/);
  });
});

describe("every view", () => {
  it.each([false, true])("has no serious finding of axe (dark: %s)", async (dark) => {
    const own = await fixture.open({ dark, height: 1300 });
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

  it.each([760, 1024, 1280, 1600, 1920])("fits %s pixels without scrolling sideways", async (width) => {
    const own = await fixture.open({ width, height: 900 });
    try {
      for (const query of ["", "?view=overview", "?view=evaluate"]) {
        await visit(query, own);
        expect(await own.evaluate(() => document.documentElement.scrollWidth), query).toBeLessThanOrEqual(width);
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

  it.each([
    [1280, 900],
    [1024, 768],
    [1920, 1000],
  ])("shows the mosaics at %s × %s without scrolling", async (width, height) => {
    const own = await fixture.open({ width, height });
    try {
      await visit("", own);
      const mosaics = own.locator(".picture[aria-label^='Mosaic:']");
      await mosaics.nth(3).waitFor();
      const box = (await mosaics.nth(3).boundingBox())!;
      expect(box.y + box.height).toBeLessThanOrEqual(height);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.width).toBeGreaterThan(120);
      if (width < 1400) {
        await own.getByRole("button", { name: "Filters" }).click();
        await own.locator("fieldset label").first().click();
        await expect.poll(() => own.url()).toMatch(/f=/);
        await own.keyboard.press("Escape");
        await expect.poll(() => own.locator("fieldset").first().isVisible()).toBe(false);
      }
    } finally {
      await own.close();
    }
  });

  it("has a column and a row of the grid for the settings in force, whichever rule that is", async () => {
    const here = page.locator(".grid button.is-here");
    await visit("?view=overview&set=band.k%3D7&set=band.risk%3D0.04");
    await expect.poll(() => here.getAttribute("aria-label").catch(() => ""), patience).toMatch(/^risk 4 %, K 7:/);
    await visit("?view=overview&set=band.k%3D7&set=band.risk%3Dnull&set=band.tau%3D0.4321");
    await expect.poll(() => here.getAttribute("aria-label").catch(() => ""), patience).toMatch(/^τ 0\.432, K 7:/);
  });

  it("brings the close look at a candidate into sight on a low screen", async () => {
    const own = await fixture.open({ width: 1280, height: 760 });
    try {
      await visit("", own);
      await own.locator(".candidate.band").first().click();
      const verdict = own.getByRole("button", { name: /This is a false negative/ });
      await verdict.waitFor();
      await expect
        .poll(async () => {
          const box = await verdict.boundingBox();
          return box !== null && box.y + box.height <= 760;
        }, patience)
        .toBe(true);
    } finally {
      await own.close();
    }
  });

  it("says that the studio does not answer any more, and goes on when it does", async () => {
    const own = await fixture.browser.newPage();
    try {
      await visit("", own);
      await own.route("**/api/**", (route) => route.abort());
      await own.keyboard.press("j");
      await expect.poll(() => own.getByRole("alert").innerText(), patience).toMatch(/does not answer/);
      await own.unroute("**/api/**");
      await own.getByRole("button", { name: "Try again" }).click();
      await own.locator("h1").waitFor();
    } finally {
      await own.close();
    }
  });

  it("says what to do where nothing is mined", async () => {
    const bare = await smallPool({ images: 4, valImages: 1 });
    await bare.close();
    const other = await startStudioProcess(bare.folder, fixture.folder);
    const own = await fixture.browser.newPage();
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
