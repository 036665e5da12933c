/// <reference lib="dom" />
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { scratchFolder } from "../small-pool.ts";
import { openChromium, type StudioProcess, scenesPool, startStudioProcess } from "./studio-process.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** NEMOSAIC_PICTURES=1 renews the pictures of docs/studio.md, on more scenes. */
const pictures = resolve(import.meta.dirname, "..", "..", "docs", "images");
export const isPicturing = process.env.NEMOSAIC_PICTURES === "1";

/** A pool of drawn scenes, its studio in a process of its own, and a page in Chromium that has to stay without errors. */
export class StudioFixture {
  readonly folder: string;
  readonly pool: string;
  readonly studio: StudioProcess;
  readonly browser: Browser;
  page!: Page;
  problems: string[] = [];

  constructor(folder: string, pool: string, studio: StudioProcess, browser: Browser) {
    this.folder = folder;
    this.pool = pool;
    this.studio = studio;
    this.browser = browser;
  }

  /** A page that notes every error on its console and every request that leaves the studio. */
  async open(options: { width?: number; height?: number; dark?: boolean } = {}): Promise<Page> {
    const { width = 1440, height = 1000, dark = false } = options;
    const opened = await this.browser.newPage({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
    this.problems = [];
    opened.on("pageerror", (error) => this.problems.push(error.message));
    opened.on("console", (message) => {
      if (["error", "warning"].includes(message.type()) && !/40[0-9]|409/.test(message.text()))
        this.problems.push(message.text());
    });
    opened.on("request", (request) => {
      if (!request.url().startsWith(this.studio.url) && !request.url().startsWith("data:"))
        this.problems.push(`request to ${request.url()}`);
    });
    return opened;
  }

  async visit(query = "", on = this.page): Promise<void> {
    await on.goto(this.studio.url + query);
    await on.locator("h1, .overview .stat, .evaluate").first().waitFor();
  }
}

/** Registers what a file of tests needs; `use` gets it before the tests begin. */
export function withStudio(use: (fixture: StudioFixture) => Promise<void> | void): void {
  let fixture: StudioFixture | undefined;
  beforeAll(async () => {
    const folder = await scratchFolder();
    const pool = await scenesPool(folder, isPicturing ? 210 : 60, isPicturing ? "scene-clip" : "lexical");
    fixture = new StudioFixture(folder, pool, await startStudioProcess(pool, folder), await openChromium());
    fixture.page = await fixture.open();
    await use(fixture);
  });
  afterEach(() => {
    expect(fixture?.problems).toEqual([]);
  });
  afterAll(async () => {
    await fixture?.browser.close();
    await fixture?.studio.stop();
  });
}

/** Keeps a screenshot for the documents, where that is asked for. */
export async function picture(name: string, on: Page): Promise<void> {
  if (!isPicturing) return;
  await on.waitForTimeout(1200);
  await on.screenshot({ path: join(pictures, `studio-${name}.png`) });
}

/** A number as the page writes it: 1,234. */
export async function numberIn(on: Page, selector: string): Promise<number> {
  return Number((await on.locator(selector).innerText()).replaceAll(",", ""));
}

/** Expressions that the list holds under its filters. */
export const listedOn = (on: Page): Promise<number> => numberIn(on, ".list .head [role=status] b");

/** What axe finds of the page as it is, serious and critical. */
export async function seriousFindings(on: Page): Promise<string[]> {
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
