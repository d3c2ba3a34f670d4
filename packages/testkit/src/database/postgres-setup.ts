import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";

import type { TestProject } from "vitest/node";

const program = fileURLToPath(new URL("run-postgres.ts", import.meta.url));

/**
 * Gives a test run its PostgreSQL. It runs in a process of its own, because code here does not find our packages by
 * their sources.
 */
// oxlint-disable-next-line import/no-default-export -- vitest calls the default export of a global setup
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, ["--conditions=@slipway/source", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const ended = exited.then(() => {
    throw new Error("the PostgreSQL of the tests did not start");
  });
  const [url] = await Promise.race([once(createInterface(child.stdout), "line"), ended]);
  ended.catch(() => undefined);
  project.provide("postgresUrl", String(url));
  return async () => {
    child.stdin.end();
    await exited;
  };
}
