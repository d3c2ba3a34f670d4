import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import {
  type BudgetRate,
  type Clock,
  strangers,
  TokenBucket,
  TokenBuckets,
  type UnfinishedBytes,
  type UnfinishedExcess,
} from "@slipway/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";

import { limitVariable } from "../config/limits.ts";
import { addressKey } from "../fields/address.ts";
import { callers } from "./admission.ts";
import type { InboundTurns } from "./inbound-turns.ts";
import { clientAddress } from "./request-origin.ts";
import { type SocketPiece, SocketPieces } from "./socket-pieces.ts";

/** The maximum size of a message to a route that sets none: most routes only send. */
const usualMessageBytes = 1024;
/** The rate of the sockets of one user, one agent, or one key: 16,000 frames a second. */
const ofKnown: BudgetRate = { burst: 32 * 1024 * 1024, perSecond: 8 * 1024 * 1024 };
/** The rate of the sockets of one unknown address, which only answer pings. */
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
    const key = callers.findKey(request);
    const sender = user?.id ?? agent?.agentId ?? key;
    const owner = user?.id ?? agent?.ownerId ?? key;
    const ofClient = isRelay === true ? new TokenBucket(ofRelayClient) : undefined;
    return {
      maxMessageBytes,
      client: owner ?? address,
      owner: owner ?? strangers,
      isFreeOfBytes: isRelay === true,
      budget: (nowMs) => {
        if (ofClient !== undefined) return ofClient;
        return sender === undefined ? unknown.of(address, nowMs) : known.of(sender, nowMs);
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

/** The cost of a frame, in bytes, in addition to its size: each takes processing time. */
const frameCost = 512;
/** The time that a peer has to answer a close. */
const closeTimeoutMs = 5_000;
/** The maximum number of bytes read and dropped from a refused peer before its close; the rest stays unread. */
const maxDroppedBytes = 64 * 1024;

/** The limits of one WebSocket's peer. */
interface SocketRules {
  readonly maxMessageBytes: number;
  /** The client in whose turns the socket is read. */
  readonly client: string;
  /** The owner of the part of a message that has arrived. */
  readonly owner: string;
  /** Returns the budget of the peer's bytes, and of its frames. */
  readonly budget: (nowMs: number) => TokenBucket;
  /** True if only frames count: the bytes have a separate limit. */
  readonly isFreeOfBytes: boolean;
}

interface FeedNeeds {
  readonly turns: InboundTurns;
  readonly unfinished: UnfinishedBytes;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * Reads a WebSocket in pieces of few frames. Each piece counts before `ws` sees it, and waits while its peer is over
 * its budget, while the messages are not taken, and until it is the client's turn. `ws` itself would process a whole
 * chunk, more than ten thousand frames, in one go, and hold an unfinished message indefinitely.
 */
class SocketFeed {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #deliver: (bytes: Buffer) => void;
  readonly #rules: SocketRules;
  readonly #needs: FeedNeeds;
  readonly #pieces = new SocketPieces();
  readonly #share: ReturnType<UnfinishedBytes["open"]>;
  readonly #step = (): void => this.#deliverNext();
  #timer: NodeJS.Timeout | undefined;
  #isQueued = false;
  #isAdvancing = false;
  #isPaused = false;
  #isOver = false;
  #droppedBytes = 0;

  private constructor(
    webSocket: WebSocket,
    socket: Socket,
    deliver: (bytes: Buffer) => void,
    { rules, needs }: { readonly rules: SocketRules; readonly needs: FeedNeeds },
  ) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#deliver = deliver;
    this.#rules = rules;
    this.#needs = needs;
    this.#share = needs.unfinished.open(rules.owner, (excess) => this.#cutOff(excess));
  }

  #start(): void {
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    // The reader of the messages had paused it, and continues.
    this.#socket.on("resume", () => this.#advance());
    this.#socket.once("close", () => this.#close());
    // `ws` has found a fault, and reads no more.
    this.#webSocket.once("error", () => this.#end());
  }

  /** Attaches a feed between an open WebSocket and its connection, for as long as the connection lives. */
  static attach(webSocket: WebSocket, socket: Socket, rules: SocketRules, needs: FeedNeeds): void {
    const [listener] = socket.listeners("data");
    if (listener === undefined) return;
    socket.removeAllListeners("data");
    const deliver = (bytes: Buffer): void => void Reflect.apply(listener, socket, [bytes]);
    new SocketFeed(webSocket, socket, deliver, { rules, needs }).#start();
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver) return this.#drop(chunk.length);
    this.#pieces.add(chunk);
    return this.#advance();
  }

  #drop(bytes: number): void {
    this.#droppedBytes += bytes;
    if (this.#droppedBytes > maxDroppedBytes) this.#socket.pause();
  }

  #advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (!this.#pieces.isEmpty && !this.#mustWait) {
      this.#isQueued = true;
      this.#needs.turns.run(this.#rules.client, this.#step);
    }
    this.#isAdvancing = false;
    this.#setPaused(!this.#pieces.isEmpty);
  }

  get #mustWait(): boolean {
    return this.#isQueued || this.#timer !== undefined || this.#webSocket.isPaused;
  }

  #deliverNext(): void {
    this.#isQueued = false;
    const piece = this.#pieces.take();
    if (piece === undefined) return;
    const { bytes } = piece;
    const now = this.#needs.clock.monotonic();
    this.#charge(piece, now);
    if (this.#pieces.messageBytes > this.#rules.maxMessageBytes) return this.#refuse();
    this.#share.set(this.#pieces.heldBytes, now);
    if (this.#isOver) return;
    this.#deliver(bytes);
    this.#advance();
  }

  /** Counts a piece; the next one waits until it is paid for. */
  #charge({ bytes, frames }: SocketPiece, nowMs: number): void {
    const { budget, isFreeOfBytes } = this.#rules;
    const cost = frames * frameCost + (isFreeOfBytes ? 0 : bytes.length);
    const waitMs = budget(nowMs).take(cost, nowMs);
    if (waitMs === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#advance();
    }, waitMs);
  }

  #refuse(): void {
    this.#end();
    this.#webSocket.close(1009, `a message may have at most ${this.#rules.maxMessageBytes} bytes`);
    const timer = setTimeout(() => this.#webSocket.terminate(), closeTimeoutMs);
    this.#socket.once("close", () => clearTimeout(timer));
  }

  /** Closes the connection immediately: it holds more unfinished bytes than allowed. */
  #cutOff(excess: UnfinishedExcess): void {
    this.#end();
    this.#webSocket.close(
      1013,
      excess === "too-slow"
        ? "a message was not completed in time"
        : `too many unfinished messages; an administrator can raise ${limitVariable("maxUnfinishedBytes")}`,
    );
    this.#webSocket.terminate();
  }

  /** Stops reading messages; a little more is read and dropped, so that the peer's own close is noticed. */
  #end(): void {
    this.#isOver = true;
    this.#pieces.clear();
    this.#share[Symbol.dispose]();
    clearTimeout(this.#timer);
  }

  #close(): void {
    this.#end();
    this.#needs.turns.cancel(this.#rules.client, this.#step);
  }

  #setPaused(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else if (this.#isPaused && !this.#webSocket.isPaused) this.#socket.resume();
    this.#isPaused = isPaused;
  }
}
