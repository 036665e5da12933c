/**
 * The platforms that wheels are made for. `os`, `cpu` and `libc` are npm's words, `tag` is Python's. glibc 2.28 and macOS
 * 14 are the least that onnxruntime's and sharp's libraries run on; scripts/wheel/wheel.test.ts reads it off them.
 */
export const platforms = {
  "linux-x64": { os: "linux", cpu: "x64", libc: "glibc", tag: "manylinux_2_28_x86_64" },
  "linux-arm64": { os: "linux", cpu: "arm64", libc: "glibc", tag: "manylinux_2_28_aarch64" },
  "macos-arm64": { os: "darwin", cpu: "arm64", tag: "macosx_14_0_arm64" },
};

/** The name of the platform that this process runs on, or undefined where no wheel is made for it. */
export function platformOfThisMachine() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return Object.keys(platforms).find((name) => {
    const { os, cpu, libc } = platforms[name];
    return os === process.platform && cpu === process.arch && (libc !== "glibc" || glibc !== undefined);
  });
}

/** Whether an npm package, by its entry in the lock file, is for a platform; one that names none is for all. */
export function fits({ os, cpu, libc }, platform) {
  return (
    (os === undefined || os.includes(platform.os)) &&
    (cpu === undefined || cpu.includes(platform.cpu)) &&
    (libc === undefined || libc.includes(platform.libc))
  );
}
