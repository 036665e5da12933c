/// <reference lib="dom" />
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { Pool } from "../../src/pool/index.ts";
import { listedOn, numberIn, picture, type StudioFixture, withStudio } from "./studio-fixture.ts";
import { nemosaic } from "./studio-process.ts";

let page: Page;
let fixture: StudioFixture;
withStudio((made) => {
  fixture = made;
  page = made.page;
});

const visit = (query?: string, on?: Page) => fixture.visit(query, on);
const title = () => page.locator("h1").innerText();
const listed = () => listedOn(page);
const bandSize = () => numberIn(page, ".panel .big");

describe("Explore", () => {
  it("shows the list and the first expression with its band, candidates and mosaics", async () => {
    await visit();
    const pool = await Pool.open(fixture.pool);
    expect(await listed()).toBe(pool.expressions.count);
    expect(await title()).toBe(`“${pool.expressions.sent[0]}”`);
    await pool.close();
    expect(await bandSize()).toBeGreaterThan(0);
    await page.locator(".picture[role=img][aria-label^='Mosaic:']").nth(3).waitFor();
    expect(await page.locator(".candidate").count()).toBeGreaterThan(4);
    await page.waitForFunction(() => [...document.images].slice(0, 6).every((image) => image.naturalWidth > 0));
    await picture("explore", page);
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
    await page.goto(`${fixture.studio.url}?q=zzzzqqq`);
    await page.getByText("No expression matches.").waitFor();
    await page.getByRole("button", { name: "Clear all filters" }).click();
    await expect.poll(listed).toBeGreaterThan(0);
    // Typed while a row is open: the list goes and comes, and the page has no error (see the fixture).
    await page.keyboard.press("j");
    await page.fill("#search", "zzzzqqq");
    await page.getByText("No expression matches.").waitFor();
    await page.keyboard.press("j");
    await page.fill("#search", "");
    await page.locator(".row").first().waitFor();
    await page.keyboard.press("Escape");
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
    const ground = (await page.locator(".curve rect.ground").boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.3, ground.y + ground.height * 0.9, { steps: 8 });
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
    await picture("candidate", page);
    await page.getByRole("button", { name: /This is a false negative/ }).click();
    await expect.poll(() => page.locator(`#${id} .rule`).innerText()).toBe("false negative");
    const lines = async () =>
      (await readFile(join(fixture.pool, "judgements.jsonl"), "utf8"))
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
    // What was judged outlives the page, and training reads it.
    await page.reload();
    await expect.poll(() => page.locator(`#${id} .rule`).innerText()).toBe("false negative");
    const { expression, image } = (await lines()).at(-1) as { expression: string; image: string };
    // Three negatives of a band of three: the best candidate would be in every mosaic.
    const sets = ["unit=expression", "band.k=3", "mosaic.gamma=1"].flatMap((set) => ["--set", set]);
    const planned = await nemosaic(["plan", fixture.pool, "--json", "--quiet", ...sets], fixture.folder);
    const own = planned.split("\n").filter((line) => line.includes(`"${expression}"`));
    expect(own.length).toBe(1);
    expect(own[0]).toContain('"kind":"mined"');
    expect(own[0]).not.toContain(image);
    await page.locator(`#${id}`).focus();
    await page.keyboard.press("f");
    await expect.poll(async () => (await lines()).at(-1).verdict).toBe("negative");
  });

  it("takes the look at a card away with its card: on scrolling, on leaving, on another expression", async () => {
    await visit();
    const closeup = page.locator(".closeup");
    const card = page.locator(".candidate").nth(1);
    const rest = async () => {
      await card.scrollIntoViewIfNeeded();
      await card.hover();
      await closeup.waitFor();
    };
    await rest();
    // The pointer rests on another card now, or on none: what is shown is never the card that went.
    await page.locator(".cards").evaluate((one) => one.scrollTo({ left: 4000 }));
    await expect.poll(() => page.locator(".closeup[aria-label$='rank 2']").count()).toBe(0);
    await page.locator(".cards").evaluate((one) => one.scrollTo({ left: 0 }));
    await page.mouse.move(5, 500);
    await rest();
    await page.keyboard.press("j");
    await expect.poll(() => closeup.count()).toBe(0);
    await page.mouse.move(5, 500);
    await rest();
    await page.mouse.move(5, 500);
    await expect.poll(() => closeup.count()).toBe(0);
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
    await picture("settings", page);
    const file = join(fixture.folder, "nemosaic.json");
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
    expect(await nemosaic(["stats", fixture.pool, "--json", "--quiet"], fixture.folder)).toMatch(/"k": 18/);
  });

  it("finds what it saved after a reload, and what an editor wrote, and loses neither", async () => {
    const file = join(fixture.folder, "nemosaic.json");
    const held = async () => JSON.parse(await readFile(file, "utf8"));
    const kField = page.locator("#set-band\\.k");
    await writeFile(file, '{"mosaic":{"gamma":0.25}}');
    await visit();
    await page.getByRole("radio", { name: "3×3" }).click();
    await page.keyboard.press("s");
    await kField.fill("21");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText(/loader = Loader\(".*", settings=".*nemosaic\.json"\)/).waitFor();
    expect(await held()).toEqual({ mosaic: { gamma: 0.25, grid: "3x3" }, band: { k: 21 } });
    await page.reload();
    await page.locator("h1").waitFor();
    expect(await page.getByRole("radio", { name: "3×3" }).getAttribute("aria-checked")).toBe("true");
    expect(await page.locator(".count").count()).toBe(0);
    await page.keyboard.press("s");
    expect(await kField.inputValue()).toBe("21");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText("Training reads it with").waitFor();
    expect(await held()).toEqual({ mosaic: { gamma: 0.25, grid: "3x3" }, band: { k: 21 } });
    // An editor's change while the page is open is offered, not lost; the page's own stays on top.
    await writeFile(file, '{"mosaic":{"gamma":0.75}}');
    await kField.fill("22");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByRole("button", { name: /^Read it/ }).click();
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText("Training reads it with").waitFor();
    expect(await held()).toEqual({ mosaic: { gamma: 0.75 }, band: { k: 22 } });
    await writeFile(file, "{");
    await page.reload();
    await page.getByText(/The settings file cannot be used: expected JSON/).waitFor();
    await writeFile(file, "{}");
  });
});
