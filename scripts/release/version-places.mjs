// Where the version stands. A place that no longer holds it stops the release, so that none is forgotten.

/** A version inside the first group's and the second group's text. */
const places = [
  { file: "package.json", pattern: /^( {2}"version": ")[^"]+(")/gm, count: 1 },
  { file: "package-lock.json", pattern: /("name": "nemosaic",\s+"version": ")[^"]+(")/g, count: 2 },
  { file: "python/pyproject.toml", pattern: /^(version = ")[^"]+(")/gm, count: 1 },
  { file: "python/nemosaic/__init__.py", pattern: /^(__version__ = ")[^"]+(")/gm, count: 1 },
  { file: "python/nemosaic/_client.py", pattern: /^(CLIENT = "nemosaic-python )[^"]+(")/gm, count: 1 },
  { file: "CITATION.cff", pattern: /^(version: )\S+()/gm, count: 1 },
  { file: "docs/install.md", pattern: /(nemosaic(?:_client)?-)\d+\.\d+\.\d+(-py3)/g, count: 3 },
];

/** Every file with the version in it: [{file, text}] with `version` put in. `read` returns a file's text. */
export function filesWithVersion(version, read) {
  return places.map(({ file, pattern, count }) => {
    const before = read(file);
    const found = before.match(pattern)?.length ?? 0;
    if (found !== count)
      throw new Error(
        `expected the version in ${count} place(s) of ${file}, found ${found}: see scripts/release/version-places.mjs`,
      );
    return { file, before, text: before.replace(pattern, `$1${version}$2`) };
  });
}

/** Negative where version `a` is older than `b`. Both are of the form 1.2.3. */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}
