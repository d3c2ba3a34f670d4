import { runClaimFaults } from "@slipway/simulation/claim-faults";
import { expect, it } from "vitest";

/** The seed of the run; `npm run test:claim-faults -- --seed N` repeats a run, with more claims if requested. */
const seed = process.env["CI"] === "true" ? 1 : Date.now() % 1_000_000;

it(
  "60 claims while servers, PostgreSQL, agents and all connections between them break: each starts once for its owner",
  { timeout: 300_000 },
  async () => {
    process.stderr.write(`claims under faults: seed ${seed}\n`);
    const outcome = await runClaimFaults({
      seed,
      claims: 60,
      claimsPerSecond: 2,
      users: 5,
      servers: 2,
      instances: 10,
      maxAgents: 50,
      faultEveryMs: 500,
      maxStallMs: 5_000,
      claimsWithinMs: 150_000,
      calmWithinMs: 90_000,
      watchMs: 2_000,
      keep: false,
      onProgress: () => undefined,
    });
    expect(outcome.violations, `seed ${seed}, logs in ${outcome.directory}`).toEqual([]);
    expect(outcome.claims).toBe(60);
    expect(outcome.latencies).toHaveLength(60);
  },
);
