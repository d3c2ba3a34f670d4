import { spawnSync } from "node:child_process";

import { defineConfig } from "vitest/config";

const isCI = process.env["CI"] === "true";
// `npm run test:db` leaves `.reports/test-db.json`; a bare `vitest` leaves nothing.
const script = process.env["npm_lifecycle_event"];
const report = script?.startsWith("test")
  ? `.reports/${script.replaceAll(":", "-")}.json`
  : undefined;

// macOS lists processes by ps; a bare Linux may lack it, and does without.
const ps = spawnSync("ps", ["-p", "1"]).error === undefined;
const absentPrograms = ps ? [] : ["packages/server/src/drivers/process/ps-program.test.ts"];
if (!ps) process.stderr.write("the program ps is not there: its use is not tested\n");

// Peers that are built elsewhere: what cannot run without them is left out, and said.
const stockAgent = process.env["SLIPWAY_STOCK_AGENT"];
const absentPeers = stockAgent === undefined ? ["interop/stock-agent.test.ts"] : [];
if (absentPeers.length > 0 && script === "test:interop") {
  process.stderr.write(
    "SLIPWAY_STOCK_AGENT is not set to the path of a stock agent: its life on our server is not tested\n",
  );
}

export default defineConfig({
  ssr: { resolve: { conditions: ["@slipway/source"] } },
  test: {
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    // A failed property prints its seed; in CI every run takes the same one.
    setupFiles: isCI ? ["tools/fixed-seed.ts"] : [],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "{tools,bench}/**/*.test.ts"],
          exclude: absentPrograms,
        },
      },
      {
        extends: true,
        test: {
          name: "db",
          include: ["packages/*/tests/**/*.test.ts"],
          globalSetup: ["packages/testkit/src/database/postgres-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "interop",
          include: ["interop/**/*.test.ts"],
          exclude: absentPeers,
          // The first run of a hook may compile a peer.
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
