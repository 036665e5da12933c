import { onPath } from "./chromium.mjs";
import { withSetupLock } from "./lock.mjs";
import { say } from "./log.mjs";
import { installingIsForbidden } from "./places.mjs";
import { answerOf, runInstaller, tailOf } from "./run-command.mjs";

const python = "the comparisons with Python peers and the tests of the Python client";

const aptOptions = [
  "-oAcquire::Retries=1",
  "-oAcquire::http::Timeout=30",
  "-oAcquire::https::Timeout=30",
  "-oDPkg::Lock::Timeout=120",
];

/**
 * What the tests use of Debian beside Node, each with the checks that need it. torch, OpenCV and FAISS come from Debian
 * because PyPI's torch would bring gigabytes of CUDA; libopenblas0-pthread because without it numpy, torch and FAISS
 * fall back to a BLAS that is many times slower, and every measured ratio lies.
 */
export const systemPackages = [
  { name: "python3-venv", neededBy: python },
  { name: "python3-pip", neededBy: python },
  { name: "python3-numpy", neededBy: python },
  { name: "libopenblas0-pthread", neededBy: "the timings against numpy, PyTorch and FAISS" },
  { name: "python3-torch", neededBy: "the comparisons with PyTorch and the Python client's data set tests" },
  { name: "python3-opencv", neededBy: "the comparisons with OpenCV" },
  { name: "python3-faiss", neededBy: "the comparisons with FAISS" },
  { name: "chromium", neededBy: "the browser tests of the studio" },
];

/**
 * Installs those of `packages` ({name, neededBy}) that Debian's package manager does not have yet, where this user may
 * and the machine can. What stays missing is said on standard error and returned as [{name, neededBy, why}]; it never
 * throws for a missing package.
 */
export async function ensureSystemPackages(packages) {
  const query = onPath("dpkg-query");
  if (query === undefined) {
    say("system packages: this is not a Debian system, so none is checked or installed; checks use what they find");
    return [];
  }
  if (notInstalled(packages).length === 0) return [];
  const why = await withSetupLock(() => install(notInstalled(packages)));
  const left = notInstalled(packages).map((entry) => ({ ...entry, why: why.of[entry.name] ?? why.general }));
  if (left.length > 0) tellMissing(left);
  return left;
}

async function install(missing) {
  const nothing = (general) => ({ general, of: {} });
  if (missing.length === 0) return nothing("removed just now");
  if (installingIsForbidden()) return nothing("NEMOSAIC_NO_INSTALL forbids installing");
  if (onPath("apt-get") === undefined) return nothing("apt-get is not on the PATH");
  const prefix = rootPrefix();
  if (prefix === undefined) return nothing("installing needs root or sudo without a password");

  const apt = (label, args, timeoutMs) => {
    const words = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...aptOptions, ...args];
    return runInstaller(label, words[0], words.slice(1), { timeoutMs });
  };
  const update = await apt("system packages: apt-get update", ["update"], 3 * 60_000);
  const unknown = missing.filter(({ name }) => !hasCandidate(name));
  const of = Object.fromEntries(
    unknown.map(({ name }) => [name, "apt-get knows no such package (is the machine online?)"]),
  );
  const known = missing.map(({ name }) => name).filter((name) => of[name] === undefined);
  if (known.length === 0) {
    if (!update.ok) say(tailOf(update.output, 4));
    return { general: "apt-get update failed", of };
  }
  const args = ["install", "--yes", "--no-install-recommends", ...known];
  const done = await apt(`system packages: apt-get install ${known.join(" ")}`, args, 10 * 60_000);
  if (!done.ok) say(tailOf(done.output, 6));
  return { general: "apt-get install failed", of };
}

/** Each is asked for alone: dpkg-query exits with 1 when it does not know one of several. */
function notInstalled(packages) {
  return packages.filter(({ name }) => !/^Status: .* installed$/m.test(answerOf("dpkg-query", ["-s", name]) ?? ""));
}

function hasCandidate(name) {
  const policy = answerOf("apt-cache", ["policy", name], { LC_ALL: "C" }) ?? "";
  return /Candidate: (?!\(none\))/.test(policy);
}

/** What to put before a command that must run as root; undefined where this user cannot. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  if (onPath("sudo") !== undefined && answerOf("sudo", ["-n", "true"]) !== undefined) return ["sudo", "-n"];
  return undefined;
}

function tellMissing(left) {
  say("system packages that are missing:");
  for (const { name, neededBy, why } of left) say(`  ${name}: ${why}; what needs it: ${neededBy}`);
  say(
    `  to install them by hand: sudo apt-get install --no-install-recommends ${left.map(({ name }) => name).join(" ")}`,
  );
}
