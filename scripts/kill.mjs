// npm run test:kill [-- --seed N --kills N --only WORDS]: kills (-9) every heavy command anywhere, runs it again, compares.
import "./setup/node-version.mjs";
import { ensureBuild } from "./setup/build.mjs";
import { runSeededTests } from "./setup/seeded-tests.mjs";

await ensureBuild();
runSeededTests({
  name: "test:kill",
  folder: "test/kill",
  count: "kills",
  cases: "kills or more",
  variables: { count: "NEMOSAIC_KILLS", seed: "NEMOSAIC_KILL_SEED" },
  standard: "220",
});
