import { createHash } from "node:crypto";
import { zipSync } from "fflate";

/**
 * The bytes of a wheel (PEP 427, metadata 2.1): `files` [{path, bytes, isExecutable}] at the top of site-packages, and what pip
 * reads. The same files give the same bytes: entries are sorted, and their date is fixed.
 */
export function wheelBytes({ name, version, tag, metadata, scripts = {}, files, licence }) {
  const info = `${escaped(name)}-${version}.dist-info`;
  const entries = [
    ...files,
    text(`${info}/METADATA`, metadata),
    text(
      `${info}/WHEEL`,
      `Wheel-Version: 1.0\nGenerator: nemosaic\nRoot-Is-Purelib: ${tag === "any"}\nTag: py3-none-${tag}\n`,
    ),
    text(`${info}/licenses/LICENSE`, licence),
    ...(Object.keys(scripts).length === 0
      ? []
      : [
          text(
            `${info}/entry_points.txt`,
            `[console_scripts]\n${Object.entries(scripts)
              .map(([command, at]) => `${command} = ${at}\n`)
              .join("")}`,
          ),
        ]),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const record = entries.map(
    ({ path, bytes }) =>
      `${quoted(path)},sha256=${createHash("sha256").update(bytes).digest("base64url")},${bytes.length}\n`,
  );
  entries.push(text(`${info}/RECORD`, `${record.join("")}${info}/RECORD,,\n`));
  const zip = {};
  for (const { path, bytes, isExecutable = false } of entries) {
    zip[path] = [bytes, { attrs: (isExecutable ? 0o100755 : 0o100644) << 16 }];
  }
  // Unix, so that the modes above count; pip keeps the bit that says a file can be run.
  return zipSync(zip, { level: 6, os: 3, mtime: "1980-01-01T00:00:00" });
}

/** The file name of a wheel. */
export function wheelName({ name, version, tag }) {
  return `${escaped(name)}-${version}-py3-none-${tag}.whl`;
}

function text(path, content) {
  return { path, bytes: Buffer.from(content, "utf8") };
}

function escaped(name) {
  return name.replace(/[-_.]+/g, "_");
}

function quoted(path) {
  return /[",]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
}
