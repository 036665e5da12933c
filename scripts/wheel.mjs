// npm run wheel [-- OPTIONS]: builds the Python wheels; --help says what there is.
import "./setup/node-version.mjs";
import { ensureBuild } from "./setup/build.mjs";
import { ensureNodeModules } from "./setup/node-modules.mjs";

const help = `npm run wheel                        the wheel for this machine, and the client's, into wheels/
npm run wheel -- --install           the wheel for this machine, installed with pip into the Python of the PATH
npm run wheel -- --platform NAME     for NAME: linux-x64, linux-arm64, macos-arm64, or all; may be given several times

  --python FILE    the Python that --install installs into
  --out FOLDER     where the wheels go (default: wheels)`;

try {
  const { parseArgs } = await import("node:util");
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", short: "h", default: false },
      install: { type: "boolean", default: false },
      platform: { type: "string", multiple: true, default: [] },
      python: { type: "string", default: "python3" },
      out: { type: "string", default: "wheels" },
    },
  });
  if (values.help) process.stdout.write(`${help}\n`);
  else {
    await ensureNodeModules();
    await ensureBuild();
    const { buildWheels, installWheel } = await import("./wheel/build-wheels.mjs"); // what it imports came just now
    const built = await buildWheels({ names: values.platform, out: values.out });
    if (values.install) await installWheel(built, values.python);
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code?.startsWith("ERR_PARSE_ARGS") ? 2 : 1;
}
