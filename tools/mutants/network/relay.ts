import type { Mutant } from "../mutant.ts";

const pairs = {
  project: "unit",
  files: ["packages/relay/src/directory.test.ts"],
} as const;

/** Faults in what the relay remembers of its clients. */
export const relayFaults: readonly Mutant[] = [
  {
    name: "pairs-have-no-bound",
    breaks: "the relay remembers as many pairs of clients as anybody makes",
    file: "packages/relay/src/directory.ts",
    find: "    if (counters.rememberedPairs >= maxRememberedPairs) return;\n",
    replace: "",
    suite: pairs,
  },
  {
    name: "pairs-of-those-who-left-count",
    breaks: "pairs of clients that are gone count, until none is remembered",
    file: "packages/relay/src/directory.ts",
    find: "    counters.rememberedPairs -= peer.destinationCount;\n",
    replace: "",
    suite: pairs,
  },
];
