import { type Relay, serveSocket, serveWebSocket } from "@slipway/relay";
import { type Clock, TokenBucket, TokenBuckets } from "@slipway/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { type LimitName, type Limits, limitVariable } from "../../platform/config/limits.ts";
import { Unavailable } from "../../platform/errors/errors.ts";
import { addressKey } from "../../platform/fields/address.ts";
import type { AnonymousStreams } from "../../platform/http/anonymous-streams.ts";
import { clientAddress } from "../../platform/http/request-origin.ts";
import { takeUpgrade } from "../../platform/http/upgrades.ts";

interface DerpNeeds {
  readonly relay: Relay;
  readonly streams: Pick<AnonymousStreams, "hold">;
  readonly logins: Pick<RelayLogins, "count">;
}

/**
 * The maximum size of a client's message, in bytes: a frame with the largest packet, its header and a key
 * (docs/protocol/tailnet.md §4.3).
 */
const maxRelayMessageBytes = 64 * 1024 + 256;
/** The interval at which the system checks whether a silent client is still there. */
const tcpKeepAliveMs = 60_000;

/** Adds the relay's routes, which need no authentication (docs/protocol/tailnet.md §4.1). */
export function addDerpRoutes(app: FastifyInstance, { relay, streams, logins }: DerpNeeds): void {
  app.route({
    method: "GET",
    url: "/derp",
    exposeHeadRoute: false,
    config: { takesSockets: true, maxMessageBytes: maxRelayMessageBytes, isRelay: true },
    onRequest: async (request) => {
      if (!request.ws) return;
      if (relay.isClosing) throw new Unavailable("The server is shutting down.");
      streams.hold(request);
      logins.count(clientAddress(request));
    },
    preHandler: async (request, reply) => {
      if (!request.ws || isDerpWebSocket(request)) return;
      if (request.headers.upgrade?.toLowerCase() === "derp") serveUpgrade(relay, request, reply);
      else await refuse(reply);
    },
    handler: (_request, reply) => refuse(reply),
    wsHandler: (socket, request) => {
      const address = addressKey(clientAddress(request));
      serveWebSocket(socket, (transport) => relay.accept(transport, { address }));
    },
  });
  app.get("/derp/latency-check", async (_request, reply) =>
    reply.type("text/plain; charset=utf-8").serializer(String).send(""),
  );
}

function isDerpWebSocket({ headers }: FastifyRequest): boolean {
  const protocols = headers["sec-websocket-protocol"]?.split(",") ?? [];
  return (
    headers.upgrade?.toLowerCase() === "websocket" &&
    protocols.some((protocol) => protocol.trim() === "derp")
  );
}

/** Answers the upgrade, unless the client wants the relay to begin immediately (docs/protocol/tailnet.md §4.2). */
function serveUpgrade(relay: Relay, request: FastifyRequest, reply: FastifyReply): void {
  const socket = takeUpgrade(request, reply);
  const keys = relay.createKeys();
  const address = addressKey(clientAddress(request));
  socket.setNoDelay(true);
  socket.setKeepAlive(true, tcpKeepAliveMs);
  if (request.headers["derp-fast-start"] !== "1") {
    const key = Buffer.from(keys.publicKey).toString("hex");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\n" +
        "Upgrade: DERP\r\n" +
        "Connection: Upgrade\r\n" +
        "Derp-Version: 2\r\n" +
        `Derp-Public-Key: ${key}\r\n\r\n`,
    );
  }
  serveSocket(socket, (transport) => relay.accept(transport, { keys, address }));
}

function refuse(reply: FastifyReply): FastifyReply {
  return (
    reply
      .code(426)
      // Without `close`, Node.js keeps a connection whose answer has this header.
      .headers({ Connection: "Upgrade, close", Upgrade: "DERP" })
      .type("text/plain; charset=utf-8")
      .serializer(String)
      .send("DERP requires connection upgrade")
  );
}

/** The maximum number of addresses that are counted individually. */
const maxAddresses = 10_000;
const secondsPerMinute = 60;

/**
 * Limits the rate at which clients connect to the relay: each connection costs a key pair and the cryptography of a
 * login. A minute's connections may arrive together, as agents of one network come back together.
 */
export class RelayLogins {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #all: TokenBucket;
  readonly #byAddress: TokenBuckets;

  constructor(
    {
      maxRelayLogins,
      maxRelayLoginsPerAddress,
    }: Pick<Limits, "maxRelayLogins" | "maxRelayLoginsPerAddress">,
    clock: Pick<Clock, "monotonic">,
  ) {
    this.#clock = clock;
    this.#all = new TokenBucket(rateOf(maxRelayLogins));
    this.#byAddress = new TokenBuckets(rateOf(maxRelayLoginsPerAddress), maxAddresses);
  }

  /** Counts a connection. Throws the 503: after a 4xx clients would use WebSockets (docs/protocol/tailnet.md §4.2). */
  count(address: string): void {
    const nowMs = this.#clock.monotonic();
    if (!this.#byAddress.of(addressKey(address), nowMs).tryTake(1, nowMs)) {
      throw tooOften("Your address connects", "maxRelayLoginsPerAddress");
    }
    if (!this.#all.tryTake(1, nowMs)) throw tooOften("Clients connect", "maxRelayLogins");
  }
}

function rateOf(perMinute: number): { readonly burst: number; readonly perSecond: number } {
  return { burst: perMinute, perSecond: perMinute / secondsPerMinute };
}

function tooOften(who: string, limit: LimitName): Unavailable {
  return new Unavailable(`${who} to the relay too often.`, {
    detail: `Try again later, or ask an administrator to raise ${limitVariable(limit)}.`,
  });
}
