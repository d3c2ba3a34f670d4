import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

/** Opens two sockets that are connected until the test ends, between which the system keeps little. */
export async function openSocketPair(): Promise<readonly [Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-sockets-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "socket");
  const server = createServer({ allowHalfOpen: true });
  onTestFinished(() => void server.close());
  server.listen(path);
  await once(server, "listening");
  const accepted = once(server, "connection");
  const ours = connect(path);
  onTestFinished(() => void ours.destroy());
  const [theirs] = await accepted;
  return [ours, theirs];
}
