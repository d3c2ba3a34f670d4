import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";

/** A PostgreSQL for tests. It lasts for many runs of them, one at a time. */
export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
}

/** Starts the embedded one, whatever the environment names. */
export async function openTestPostgres(checkout: string): Promise<TestPostgres> {
  const program = join(checkout, "packages/testkit/src/database/run-postgres.ts");
  const { SLIPWAY_TEST_POSTGRES_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--conditions=@slipway/source", program], {
    env,
    // Ctrl-C ends the tests first.
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const failed = exited.then(() => {
    throw new Error("the PostgreSQL of the tests did not start");
  });
  failed.catch(() => undefined);
  const [url] = await Promise.race([once(createInterface(child.stdout), "line"), failed]);
  return {
    url: String(url),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
