// A release, in order: check, write the version and the date, test, pack, build the wheels, commit, tag.
// What is written before the commit is put back if a later step fails, so that a failed release leaves a clean tree.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announcedRelease, dateRelease } from "./changelog.mjs";
import { compareVersions, filesWithVersion } from "./version-places.mjs";

/**
 * Makes the release that CHANGELOG.md announces, or prints its steps where `isDry`. `run(command, args, {capture})` runs a
 * command in `root` and throws where it fails; `say` takes lines for a person. Throws before it changes anything where
 * the tree is not clean, the version was released or is not newer than the last one, or nothing changed.
 */
export function makeRelease({ root, date, out, isDry, withTests, run, say }) {
  const read = (file) => readFileSync(join(root, file), "utf8");
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) throw new Error(`expected --date YYYY-MM-DD, got "${date}"`);
  const changelog = read("CHANGELOG.md");
  const { version, entries } = announcedRelease(changelog);
  checkTags(version, run);
  const files = filesWithVersion(version, read);
  const dated = dateRelease(changelog, version, date);
  files.push({ file: "CHANGELOG.md", before: changelog, text: dated });
  checkTree(run); // last: a person who tries it out with a changed tree learns of the other faults first
  const changed = files.filter(({ before, text }) => before !== text);

  const step = (what, act) => {
    say(`${isDry ? "would " : ""}${what}`);
    if (!isDry) act();
  };
  say(`${isDry ? "dry run of " : ""}release ${version}, ${date}, changelog entries: ${entries.match(/^- /gm).length}`);
  try {
    for (const { file, text } of changed)
      step(`write ${version} into ${file}`, () => writeFileSync(join(root, file), text));
    if (withTests) step("run npm test", () => run("npm", ["test"]));
    step("build: npm run build", () => run("npm", ["run", "build", "--silent"]));
    step(`pack: npm pack --pack-destination ${out}`, () => {
      run("mkdir", ["-p", out]);
      run("npm", ["pack", "--ignore-scripts", "--pack-destination", out]);
    });
    const wheel = ["scripts/wheel.mjs", "--platform", "all", "--out", out];
    step(`build the wheels: node ${wheel.join(" ")}`, () => run("node", wheel));
    const names = changed.map(({ file }) => file);
    step(`commit "release: ${version}"`, () =>
      run("git", ["commit", "--quiet", "-m", `release: ${version}`, "--", ...names]),
    );
  } catch (error) {
    if (!isDry) for (const { file, before } of changed) writeFileSync(join(root, file), before);
    throw error;
  }
  step(`tag v${version}`, () => run("git", ["tag", "-a", `v${version}`, "-m", `nemosaic ${version}\n\n${entries}`]));
  say(
    isDry
      ? "nothing was changed"
      : `released; to publish: git push --follow-tags && npm publish ${out}/nemosaic-${version}.tgz && python -m twine upload ${out}/*${version}*.whl`,
  );
}

/** Throws unless `version` is new: no tag of its own, and newer than every tagged one. */
function checkTags(version, run) {
  const tagged = run("git", ["tag", "--list", "v*"], { capture: true })
    .split("\n")
    .filter((tag) => /^v\d+\.\d+\.\d+$/.test(tag))
    .map((tag) => tag.slice(1))
    .sort(compareVersions);
  if (tagged.includes(version))
    throw new Error(
      `expected a version that is not released, got ${version}, whose tag v${version} is there: announce the next in CHANGELOG.md`,
    );
  const last = tagged.at(-1);
  if (last !== undefined && compareVersions(version, last) < 0)
    throw new Error(`expected a version newer than ${last}, the last one tagged, got ${version} in CHANGELOG.md`);
}

function checkTree(run) {
  const status = run("git", ["status", "--porcelain"], { capture: true }).trimEnd();
  if (status === "") return;
  const lines = status.split("\n");
  throw new Error(
    `expected a clean working tree, got ${lines.length} changed file(s), the first "${lines[0].trim()}": commit or remove them`,
  );
}
