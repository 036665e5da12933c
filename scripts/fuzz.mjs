// npm run fuzz [-- --seed N --runs N --only WORDS]: garbled input for every reader, 10,000 cases each.
import "./setup/node-version.mjs";
import { runSeededTests } from "./setup/seeded-tests.mjs";

runSeededTests({
  name: "fuzz",
  folder: "test/fuzz",
  count: "runs",
  cases: "cases of each reader",
  variables: { count: "NEMOSAIC_FUZZ_RUNS", seed: "NEMOSAIC_FUZZ_SEED" },
  standard: "10000",
});
