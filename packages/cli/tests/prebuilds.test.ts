import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type CommandServer,
  type CommandResult,
  openCommandServer,
} from "./support/command-server.ts";

const example = new URL("../../../examples/pool.slipway.yaml", import.meta.url);

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer();
  await mkdir(join(commandServer.directory, "pool"));
  // One at a time, to keep the load on the machine low.
  const yaml = (await readFile(example, "utf8")).replaceAll(/instances: \d/g, "instances: 1");
  await writeFile(join(commandServer.directory, "pool", "slipway.yaml"), yaml);
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(line: string): Promise<CommandResult> {
  return commandServer.slipway(line);
}

async function untilFull(): Promise<void> {
  const counts = async (): Promise<string> =>
    (await slipway("prebuilds list -c status,eligible,starting,claimed")).out;
  await expect.poll(counts, { timeout: 60_000, interval: 200 }).toMatch(/\nhealthy +1 +0 +\d\n$/);
}

it("fills a pool, pauses and resumes it, claims a running workspace from it, and runs a command there", async () => {
  expect((await slipway("prebuilds list")).err).toContain(
    "no pools; create one by adding prebuilds",
  );
  expect(await slipway("templates push @/pool")).toMatchObject({ code: 0 });
  await untilFull();
  expect((await slipway("prebuilds list -c template,preset,desired,running,claimed")).out).toBe(
    "TEMPLATE  PRESET  DESIRED  RUNNING  CLAIMED\npool      ready   1        1        0\n",
  );
  expect(await slipway("prebuilds pause")).toMatchObject({
    code: 0,
    err: "prebuilds are paused\n",
  });
  expect((await slipway("prebuilds pause")).err).toBe("prebuilds are already paused\n");

  const claimed = await slipway("create mine -t pool --preset ready");
  expect(claimed.err).toContain("created admin/mine from pool, preset ready\nclaimed a prebuild");
  expect(claimed.out).toBe("admin/mine is running\n");
  expect((await slipway("logs mine")).out).toContain("admin blue mine");
  expect(await slipway("ssh mine -- echo out; exit 7")).toMatchObject({ code: 7, out: "out\n" });
  const json: unknown = JSON.parse((await slipway("prebuilds list -o json")).out);
  expect(json).toMatchObject([{ status: "paused", running: 0, starting: 0, claimed: 1 }]);

  const built = await slipway("create other -t pool --preset ready");
  expect(built.err).not.toContain("prebuild");
  expect(built).toMatchObject({ code: 0 });
  expect((await slipway("prebuilds resume")).err).toBe("prebuilds are resumed\n");
  expect((await slipway("prebuilds resume")).err).toBe("prebuilds are not paused\n");
  await untilFull();
});
