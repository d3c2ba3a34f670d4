import { abortable, silentLogger, systemClock } from "@slipway/runtime";
import { toDuplex } from "@slipway/tailnet/node/duplex";

import { processEnvironment } from "../config/environment.ts";
import { findSession } from "../config/stored-session.ts";
import { createNodeSocket } from "../node/create-node-socket.ts";
import { PortForward } from "../node/port-forward.ts";
import { SessionError } from "./errors.ts";
import type { ClientPlatform, Forwarding, ForwardRequest } from "./platform.ts";

/** The platform of Node.js. */
export const platform: ClientPlatform = {
  clock: systemClock,
  createSocket: createNodeSocket,
  findSession: async () => {
    const given = { url: undefined, token: undefined, configDir: undefined };
    const { url, token } = await findSession(given, processEnvironment());
    if (url !== undefined && token !== undefined) return { url, token };
    const missing = url === undefined ? "SLIPWAY_URL" : "SLIPWAY_SESSION_TOKEN";
    throw new SessionError(`not logged in: set ${missing}, or run: slipway login`);
  },
  forward,
};

const never = new AbortController().signal;

/** Joins the network for the lifetime of the forward, and waits until the agent answers. */
async function forward(request: ForwardRequest): Promise<Forwarding> {
  const { client, agentId, port, clock, localPort = 0, host, signal = never } = request;
  const { connectWorkspace } = await import("../workspace/connect-workspace.ts");
  await using opened = new AsyncDisposableStack();
  const connection = opened.use(
    await connectWorkspace({
      client,
      agentId,
      disableDirect: request.disableDirect ?? false,
      clock,
      logger: silentLogger,
      signal,
    }),
  );
  await connection.reach(signal);
  const listening = opened.use(
    await PortForward.open(
      { address: host, localPort, remotePort: port },
      {
        dial: async (to, ended) => toDuplex(await abortable(connection.dial(to, ended), ended)),
        report: (text) => request.onProblem?.(text),
      },
    ),
  );
  const resources = opened.move();
  return {
    localPort: listening.localPort,
    failed: connection.failed,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
