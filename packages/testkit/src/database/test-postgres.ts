import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("run-postgres.ts", import.meta.url));

/** A PostgreSQL for tests, with a migrated database to copy. Disposing of it ends it. */
export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
}

/**
 * Starts the embedded one, or uses the one that SLIPWAY_TEST_POSTGRES_URL names in the environment. It runs in a process
 * of its own, because vitest's setup does not find our packages by their sources.
 */
export async function openTestPostgres(
  env: NodeJS.ProcessEnv = process.env,
): Promise<TestPostgres> {
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

/** Starts the embedded one, whatever the environment names. It lasts for many runs of tests, one at a time. */
export function openOwnPostgres(): Promise<TestPostgres> {
  const { SLIPWAY_TEST_POSTGRES_URL: _, ...env } = process.env;
  return openTestPostgres(env);
}
