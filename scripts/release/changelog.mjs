// CHANGELOG.md: sections "## X.Y.Z (date)", newest first; the one that is being written says "(unreleased)".

const headings = /^## (\S+)(?: \(([^)]*)\))?$/gm;

/** The sections of a changelog, in its order: [{version, state, body}], `state` being a date or "unreleased". */
export function sectionsOf(text) {
  const found = [...text.matchAll(headings)];
  return found.map(({ 0: heading, 1: version, 2: state = "", index }, which) => ({
    version,
    state,
    body: text.slice(index + heading.length, found[which + 1]?.index ?? text.length).trim(),
  }));
}

/** The version that the changelog announces, and its entries. Throws where there is none, or where nothing changed. */
export function announcedRelease(text) {
  const [newest] = sectionsOf(text);
  if (newest?.state !== "unreleased")
    throw new Error(
      `expected "## X.Y.Z (unreleased)" as the first heading of CHANGELOG.md, got ${newest ? `"## ${newest.version} (${newest.state})"` : "none"}: add it with what changed`,
    );
  if (!/^\d+\.\d+\.\d+$/.test(newest.version))
    throw new Error(`expected a version such as 1.2.3 in CHANGELOG.md, got "${newest.version}"`);
  if (!/^- \S/m.test(newest.body))
    throw new Error(`expected entries ("- …") below "## ${newest.version} (unreleased)" in CHANGELOG.md, got none`);
  return { version: newest.version, entries: newest.body };
}

/** The changelog with the announced version dated. Does not change `text` elsewhere. */
export function dateRelease(text, version, date) {
  return text.replace(`## ${version} (unreleased)`, `## ${version} (${date})`);
}
