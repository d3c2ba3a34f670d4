import type { IncomingMessage } from "node:http";
import { type BudgetRate, type Clock, strangers, TokenBucket, TokenBuckets, type UnfinishedBytes } from "@slipway/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { callers } from "./admission.ts";
import type { InboundTurns } from "./inbound-turns.ts";
import { clientAddress } from "./request-origin.ts";
import { SocketFeed, type SocketRules } from "./socket-feed.ts";
import { addressKey } from "../fields/address.ts";

/** The largest message to a route that says nothing else: most only send. */
const usualMessageBytes = 1024;
/** The rate of the sockets of one user, or of one agent: 16,000 frames a second. */
const ofKnown: BudgetRate = { burst: 32 * 1024 * 1024, perSecond: 8 * 1024 * 1024 };
/** The rate of those of one unknown address, which only answer pings. */
const ofStrangers: BudgetRate = { burst: 256 * 1024, perSecond: 32 * 1024 };
/** The frames of one client of the relay, which limits the bytes itself. */
const ofRelayClient: BudgetRate = { burst: 64 * 1024 * 1024, perSecond: 32 * 1024 * 1024 };
const maxSenders = 20_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** The largest message that the route's sockets take, in bytes. */
    readonly maxMessageBytes?: number | undefined;
    /** True if the sockets carry a relay's traffic, whose bytes the relay limits. */
    readonly isRelay?: boolean;
  }
}

interface FeedsNeeds {
  readonly turns: InboundTurns;
  readonly unfinished: UnfinishedBytes;
  readonly clock: Pick<Clock, "monotonic">;
}

/** Limits what the peers of all WebSockets send, by the rules of their routes and callers (`SocketFeed`). */
export function feedSockets(app: FastifyInstance, needs: FeedsNeeds): void {
  const requests = new WeakMap<IncomingMessage, FastifyRequest>();
  const known = new TokenBuckets(ofKnown, maxSenders);
  const unknown = new TokenBuckets(ofStrangers, maxSenders);
  const rulesOf = (request: FastifyRequest): SocketRules => {
    const { maxMessageBytes = usualMessageBytes, isRelay } = request.routeOptions.config;
    const user = callers.findUser(request);
    const agent = callers.findAgent(request);
    const address = addressKey(clientAddress(request));
    const sender = user?.id ?? agent?.agentId;
    const owner = user?.id ?? agent?.ownerId;
    const ofClient = new TokenBucket(ofRelayClient);
    const now = (): number => needs.clock.monotonic();
    return {
      maxMessageBytes,
      client: owner ?? address,
      owner: owner ?? strangers,
      isFreeOfBytes: isRelay === true,
      budget: () => {
        if (isRelay === true) return ofClient;
        return sender === undefined ? unknown.of(address, now()) : known.of(sender, now());
      },
    };
  };
  app.addHook("onRequest", async (request) => {
    if (request.ws) requests.set(request.raw, request);
  });
  app.websocketServer.on("connection", (webSocket: WebSocket, raw: IncomingMessage) => {
    const request = requests.get(raw);
    requests.delete(raw);
    if (request !== undefined) SocketFeed.attach(webSocket, raw.socket, rulesOf(request), needs);
  });
}
