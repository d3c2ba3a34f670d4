import { Caller, type RpcSocket } from "@slipway/rpc";
import { systemClock } from "@slipway/runtime";
import { goneReason } from "@slipway/tailnet/coordination/peer-update";
import { parseUuid } from "@slipway/wire/bytes/uuid";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  CoordinateRequestSchema,
  CoordinateResponse,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import {
  CoordinateResponse_PeerUpdate_Kind as Kind,
  Tailnet,
} from "@slipway/wire/protobuf/gen/tailnet_pb";
import { expect, vi } from "vitest";
import { WebSocket } from "ws";

type Request = MessageInitShape<typeof CoordinateRequestSchema>;

/** A session of a client, or of an agent, with its socket. */
export interface NetworkSession extends AsyncDisposable {
  readonly caller: Pick<Caller, "unary" | "serverStream" | "duplex" | "closed">;
  readonly socket: WebSocket;
  /** Resolves to the close code. */
  readonly closed: Promise<number>;
}

/** Joins the network on a path of the API; rejects with `<status> <body>` if the server refuses. */
export async function joinNetwork(
  serverUrl: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<NetworkSession> {
  const socket = new WebSocket(`${serverUrl.replace("http", "ws")}/api/v2${path}`, { headers });
  const opened = Promise.withResolvers<void>();
  socket.on("open", () => opened.resolve());
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  socket.on("unexpected-response", (_request, response) => {
    void response.toArray().then((parts) => {
      opened.reject(new Error(`${response.statusCode} ${Buffer.concat(parts).toString()}`));
      socket.terminate();
    });
  });
  socket.on("error", () => undefined);
  await opened.promise;
  const caller = new Caller(rpcSocketOf(socket), { apiVersion: "2.0", clock: systemClock });
  return {
    caller,
    socket,
    closed,
    [Symbol.asyncDispose]: async () => {
      socket.terminate();
      await closed;
    },
  };
}

function rpcSocketOf(socket: WebSocket): RpcSocket {
  const gone = new AbortController();
  socket.on("close", () => gone.abort(new Error("socket closed")));
  return { raw: socket, signal: gone.signal, close: (code, reason) => socket.close(code, reason) };
}

interface Duplex {
  duplex(
    method: typeof Tailnet.method.coordinate,
    requests: AsyncIterable<Request>,
    signal: AbortSignal,
  ): AsyncIterable<CoordinateResponse>;
}

/** One call of `Coordinate`. A lost peer that is gone is recorded as `LOST <id> gone`. */
export class Coordination {
  /** The server's responses, as `<kind> <id> <first word of disco>` or the error; `end` when it has ended the call. */
  readonly heard: string[] = [];
  readonly #queue: Request[] = [];
  readonly #stop = new AbortController();
  #wake: () => void = () => undefined;

  constructor({ caller }: { readonly caller: Duplex }) {
    const { coordinate } = Tailnet.method;
    const responses = caller.duplex(coordinate, this.#requests(), this.#stop.signal);
    void this.#read(responses);
  }

  send(...requests: readonly Request[]): void {
    this.#queue.push(...requests);
    this.#wake();
  }

  /** Aborts the call. */
  stop(): void {
    this.#stop.abort();
  }

  /** Resolves once it has received exactly this since the last call; absent clients are looked at every 15 s at the latest. */
  async hears(...expected: readonly unknown[]): Promise<void> {
    await vi.waitFor(() => expect(this.heard).toEqual(expected), { timeout: 20_000, interval: 10 });
    this.heard.length = 0;
  }

  async #read(responses: AsyncIterable<CoordinateResponse>): Promise<void> {
    try {
      for await (const { error, peerUpdates } of responses) {
        if (error !== "") this.heard.push(error);
        for (const { id, kind, node, reason } of peerUpdates) {
          const [what = "?"] = Object.entries(Kind).find(([, one]) => one === kind) ?? [];
          const name = node?.disco.split(" ")[0] ?? [];
          const isGone = what === "LOST" && reason === goneReason ? "gone" : [];
          this.heard.push([what, parseUuid(id), name, isGone].flat().join(" "));
        }
      }
      this.heard.push("end");
    } catch {
      this.heard.push("broken off");
    }
  }

  async *#requests(): AsyncGenerator<Request, void, undefined> {
    for (;;) {
      const request = this.#queue.shift();
      if (request !== undefined) {
        yield request;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
