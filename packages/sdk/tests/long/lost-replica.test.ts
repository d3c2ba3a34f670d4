import { silentLogger, systemClock } from "@slipway/runtime";
import {
  echoText,
  openReachedWorkspace,
  openTestDatabase,
  type ReachedWorkspace,
  TcpProxy,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { connectWorkspace } from "../../src/workspace.ts";

/*
 * A client on one replica reaches an agent on another. The client's replica is killed, and a proxy sends the client to the
 * other one, as in a deployment: TCP connections through the tunnel survive, over the relay and directly.
 */

const opened = new AsyncDisposableStack();
const limit = (): AbortSignal => AbortSignal.timeout(30_000);
let world: ReachedWorkspace;

beforeAll(async () => {
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  world = opened.use(await openReachedWorkspace({ SLIPWAY_POSTGRES_URL: url }));
});

afterAll(() => opened.disposeAsync());

it.each([
  { path: "relay", disableDirect: true },
  { path: "direct", disableDirect: false },
])(
  "survives the end of its client's replica over a $path path",
  async ({ path, disableDirect }) => {
    const doomed = await world.startReplica();
    let target = doomed;
    await using proxy = await TcpProxy.open(() => [{ port: Number(new URL(target.url).port) }]);
    const { agentId, echoPort } = world;
    await using connection = await connectWorkspace({
      client: world.openClient(proxy.url),
      agentId,
      disableDirect,
      clock: systemClock,
      logger: silentLogger,
      signal: limit(),
    });
    await expect
      .poll(async () => (await connection.ping(limit())).path.kind, { timeout: 20_000 })
      .toBe(path);
    const stream = await connection.dial(echoPort, limit());
    expect(await echoText(stream, "before", limit())).toBe("before");
    await doomed.end("SIGKILL");
    target = world.server;
    for (const link of proxy.links) link.cut();
    expect(await echoText(stream, "after", limit())).toBe("after");
    const later = await connection.dial(echoPort, limit());
    expect(await echoText(later, "anew", limit())).toBe("anew");
  },
);
