import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { InboundTurns } from "./inbound-turns.ts";
import { RequestPieces } from "./request-pieces.ts";

/**
 * Reads requests one at a time from each connection, in fair turns: the next one is parsed only after the answer to the
 * previous one has been sent. Node.js would parse and start all requests in a chunk, thousands of them, in one go.
 *
 * Call it after all other listeners were added. `clientOf` returns the client in whose turns a connection is read.
 */
export function feedRequests(
  server: Server,
  turns: InboundTurns,
  clientOf: (socket: Socket) => string,
): void {
  const feeds = new WeakMap<Socket, RequestFeed>();
  server.on("connection", (socket: Socket) => {
    // A refused connection has no parser.
    const [listener] = socket.listeners("data");
    if (listener === undefined) return;
    socket.removeAllListeners("data");
    const parse = (bytes: Buffer): void => void Reflect.apply(listener, socket, [bytes]);
    feeds.set(socket, new RequestFeed(socket, parse, turns, clientOf(socket)));
  });
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    feeds.get(request.socket)?.started(request, response);
  server.prependListener("request", onRequest);
  server.prependListener("checkContinue", onRequest);
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    onRequest(request, response);
    response.shouldKeepAlive = false;
    response.writeHead(417).end();
  });
  server.prependListener("upgrade", ({ socket }: IncomingMessage) => {
    feeds.get(socket)?.release();
    feeds.delete(socket);
  });
}

/** The reading of one connection. */
class RequestFeed {
  readonly #socket: Socket;
  /** Hands bytes to the parser of Node.js. */
  readonly #parse: (bytes: Buffer) => void;
  readonly #turns: InboundTurns;
  readonly #client: string;
  readonly #pieces = new RequestPieces();
  readonly #step = (): void => this.#parseNext();
  readonly #onData = (chunk: Buffer): void => this.#receive(chunk);
  readonly #onClose = (): void => this.#turns.cancel(this.#client, this.#step);
  #current: IncomingMessage | undefined;
  #isQueued = false;
  #isAdvancing = false;
  #isPaused = false;

  constructor(socket: Socket, parse: (bytes: Buffer) => void, turns: InboundTurns, client: string) {
    this.#socket = socket;
    this.#parse = parse;
    this.#turns = turns;
    this.#client = client;
    // With another listener than its own, Node.js no longer parses bytes before any listener sees them.
    socket.on("data", this.#onData);
    socket.once("close", this.#onClose);
  }

  /** Records a request that the parser has found in the last piece. */
  started(request: IncomingMessage, response: ServerResponse): void {
    // The request of a client that waits to be asked for its body is announced twice.
    if (this.#current === request) return;
    this.#current = request;
    this.#pieces.expectBody(Number(request.headers["content-length"] ?? 0));
    response.once("close", () => {
      if (this.#current === request) this.#current = undefined;
      this.#advance();
    });
  }

  /** Hands the connection to its new owner, with all bytes that were not parsed. */
  release(): void {
    this.#socket.off("data", this.#onData);
    this.#socket.off("close", this.#onClose);
    const rest = this.#pieces.takeAll();
    if (rest.length > 0) this.#socket.unshift(rest);
  }

  #receive(chunk: Buffer): void {
    this.#pieces.add(chunk);
    this.#advance();
  }

  /** True if nothing may be parsed: until a request has been answered, only its body may follow. */
  get #mustWait(): boolean {
    return this.#isQueued || this.#isOver || this.#current?.complete === true;
  }

  /** True once the last answer of the connection has been written. */
  get #isOver(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded;
  }

  #advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (!this.#pieces.isEmpty && !this.#mustWait) {
      this.#isQueued = true;
      this.#turns.run(this.#client, this.#step);
    }
    this.#isAdvancing = false;
    this.#setPaused(!this.#pieces.isEmpty);
  }

  #parseNext(): void {
    this.#isQueued = false;
    const piece = this.#isOver ? undefined : this.#pieces.take();
    if (piece !== undefined) this.#parse(piece);
    this.#advance();
  }

  /** Resumes only what it has paused: Node.js pauses a connection whose body is not read. */
  #setPaused(isPaused: boolean): void {
    if (isPaused) this.#socket.pause();
    else if (this.#isPaused && !this.#isOver) this.#socket.resume();
    this.#isPaused = isPaused;
  }
}
