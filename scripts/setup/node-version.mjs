// Imported first, for its effect: an older Node ends here with one line instead of a stack trace from a dependency.
// Only syntax and imports that Node 14 knows, here and in every script that imports this one statically.

const wanted = [20, 19];

/** Whether Node `version` ("20.19.0") is one that the project runs on. */
export function nodeIsNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}

if (!nodeIsNewEnough(process.versions.node)) {
  console.error(
    `nemosaic needs Node ${wanted.join(".")} or newer, and this is Node ${process.versions.node} (${process.execPath}): ` +
      "install a newer one and run the same command again.",
  );
  process.exit(1);
}
