// npm run test:faults [-- --seed N --faults N --only WORDS]: every step under every fault (docs/errors.md has the table).
import "./setup/node-version.mjs";
import { ensureBuild } from "./setup/build.mjs";
import { runSeededTests } from "./setup/seeded-tests.mjs";

await ensureBuild();
runSeededTests({
  name: "test:faults",
  folder: "test/faults",
  count: "faults",
  cases: "cells of the matrix at most",
  variables: { count: "NEMOSAIC_FAULTS", seed: "NEMOSAIC_FAULTS_SEED" },
  standard: "10000",
});
