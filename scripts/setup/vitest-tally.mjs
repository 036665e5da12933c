import { writeFileSync } from "node:fs";

/**
 * A vitest reporter that writes to the file named by `NEMOSAIC_TALLY` what the summary of `npm test` needs: {passed,
 * failed, skipped: [{file, title, reason}], notes}. vitest's own JSON report holds no reasons of skipped tests. `notes`
 * are the lines in which tests said on the console what "did not run".
 */
export default class TallyReporter {
  #notes = new Set();

  onUserConsoleLog(log) {
    for (const line of log.content.split("\n")) if (line.includes("did not run")) this.#notes.add(line.trim());
  }

  onTestRunEnd(modules, unhandledErrors) {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: [], notes: [...this.#notes] };
    for (const module of modules) {
      const before = tally.failed;
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        if (state === "passed") tally.passed++;
        else if (state === "skipped")
          tally.skipped.push({ file: module.relativeModuleId, title: test.fullName, reason: note });
        else tally.failed++; // A test left pending by a crash counts as failed.
      }
      // A file that could not be loaded, or whose hooks failed, has no failed test to show for it.
      if (tally.failed === before && !module.ok()) tally.failed++;
    }
    const file = process.env.NEMOSAIC_TALLY;
    if (file) writeFileSync(file, JSON.stringify(tally));
  }
}
