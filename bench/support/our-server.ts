import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ApiClient } from "@slipway/sdk/http";
import { logInAsAdmin, type ServerProcess, startServerProcess } from "@slipway/testkit";

/** Creates an empty directory; it is removed with `opened`. */
export async function openDirectory(opened: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts our server in an empty directory with these additional settings; it stops with `opened`. */
export async function openOurServer(
  opened: AsyncDisposableStack,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly server: ServerProcess; readonly client: ApiClient }> {
  const dataDir = await openDirectory(opened);
  const server = opened.use(await startServerProcess({ dataDir, port: 0, environment }));
  return { server, client: await logInAsAdmin(server.url) };
}
