import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("run-postgres.ts", import.meta.url));

/** A PostgreSQL for tests, with a migrated database to copy. Disposing of it stops it. */
export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
}

/**
 * Starts the embedded PostgreSQL, or uses the server that SLIPWAY_TEST_POSTGRES_URL names. It runs in a separate
 * process, because vitest's setup does not resolve our packages to their sources.
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
    throw new Error("the test PostgreSQL did not start");
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

/** Starts the embedded PostgreSQL, whatever the environment names. It serves many test runs, one at a time. */
export function openOwnPostgres(): Promise<TestPostgres> {
  const { SLIPWAY_TEST_POSTGRES_URL: _, ...env } = process.env;
  return openTestPostgres(env);
}
