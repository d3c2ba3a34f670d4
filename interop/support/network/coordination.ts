import { systemClock } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";
import { clientCoordinationService } from "@slipway/sdk/workspace";
import { encodeUuid, parseUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type { CoordinateRequestSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { WebSocket } from "ws";

type Request = MessageInitShape<typeof CoordinateRequestSchema>;

/**
 * Joins the network of all agents of a user, requests one of them, and returns once the server has described it.
 * Rejects with the server's refusal.
 */
export async function findOnTailnet(client: ApiClient, agentId: string): Promise<void> {
  const ended = new AbortController();
  const service = clientCoordinationService({ client, clock: systemClock, dial });
  await using session = await service.open(undefined, ended.signal);
  async function* requests(): AsyncGenerator<Request, void, undefined> {
    yield { addTunnel: { id: encodeUuid(agentId) } };
    await new Promise((resolve) => ended.signal.addEventListener("abort", resolve));
  }
  try {
    for await (const { error, peerUpdates } of session.coordinate(requests(), ended.signal)) {
      if (error !== "") throw new Error(error);
      if (peerUpdates.some(({ id, node }) => node !== undefined && parseUuid(id) === agentId))
        return;
    }
    throw new Error("the server closed the coordination session");
  } finally {
    ended.abort();
  }

  async function dial(url: URL) {
    const socket = new WebSocket(url, { headers: client.headers });
    const gone = new AbortController();
    socket.on("close", () => gone.abort(new Error("socket closed")));
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return {
      raw: socket,
      signal: gone.signal,
      close: (code?: number, reason?: string): void => socket.close(code, reason),
    };
  }
}
