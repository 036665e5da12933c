/**
 * What pytest's JUnit report (`xml`, the text of the file) counts, in the shape of the vitest tally. An error in a fixture
 * or while collecting counts as failed; an expected failure as skipped, as pytest reports it.
 */
export function tallyOfPytest(xml) {
  const tally = { passed: 0, failed: 0, skipped: [], notes: [] };
  for (const [, attributes, body = ""] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(body)) {
      tally.failed++;
      continue;
    }
    const skipped = /<skipped\b([^>]*)/.exec(body);
    if (skipped === null) tally.passed++;
    else {
      const file = attributeOf(attributes, "classname") ?? "";
      tally.skipped.push({
        file,
        title: attributeOf(attributes, "name") ?? "",
        reason: attributeOf(skipped[1], "message"),
      });
    }
  }
  return tally;
}

function attributeOf(attributes, name) {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes);
  return found?.[1]
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#10;/g, " ")
    .replace(/&amp;/g, "&");
}
