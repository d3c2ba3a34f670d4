import { createServer } from "node:http";
import type { ServerResponse } from "node:http";

import { RpcError } from "@slipway/rpc";
import { errorText } from "@slipway/runtime";
import { openLocalServer } from "@slipway/testkit";
import { DrpcResponder } from "@slipway/wire/drpc/responder";
import { YamuxError } from "@slipway/wire/yamux/events";
import { YamuxSession } from "@slipway/wire/yamux/session";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

import type { ScriptedServer } from "./scripted-server.ts";

/**
 * A listening scripted server: sessions over WebSockets, the reinit stream, and the exchange of an AWS identity, which
 * grants the tokens `granted-1`, `granted-2`, and so on.
 */
export interface ServedServer extends AsyncDisposable {
  readonly url: string;
  /** The tokens of all requests, in order: the last part of the path and the token. */
  readonly asked: readonly string[];
  /** Sets the response from now on: 200, or a refusal of every caller. */
  setStatus(status: number): void;
  /** Requests for the reinit stream that wait for their response. */
  streams(): number;
  /** Writes to every open stream. */
  send(text: string): void;
  /** Ends all sessions. */
  cut(): void;
}

const root = "/api/v2/workspaceagents/";

export async function serveScripted(scripted: ScriptedServer): Promise<ServedServer> {
  const asked: string[] = [];
  const streams = new Set<ServerResponse>();
  const sockets = new Set<WebSocket>();
  let status = 200;
  let granted = 0;
  const http = createServer((request, response) => {
    const name = nameOf(request.url);
    asked.push(`${name} ${String(request.headers["coder-session-token"])}`);
    if (name === "aws-instance-identity" && status === 200) {
      granted += 1;
      response.end(JSON.stringify({ session_token: `granted-${granted}` }));
      return;
    }
    if (name !== "reinit" || status !== 200) {
      const body = JSON.stringify({ message: "not for you" });
      response.writeHead(status === 200 ? 404 : status, { "Content-Type": "application/json" });
      response.end(body);
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("event: ping\n\n");
    streams.add(response);
    response.on("close", () => streams.delete(response));
  });
  const upgrades = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, socket, head) => {
    asked.push(`${nameOf(request.url)} ${String(request.headers["coder-session-token"])}`);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, socket, head, (accepted) => {
      sockets.add(accepted);
      accepted.on("close", () => sockets.delete(accepted));
      serveSession(accepted, scripted);
    });
  });
  const server = await openLocalServer(http);
  return {
    url: server.url,
    asked,
    setStatus: (value) => {
      status = value;
    },
    streams: () => streams.size,
    send: (text) => {
      for (const stream of streams) stream.write(text);
    },
    cut: () => {
      for (const socket of sockets) socket.terminate();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function nameOf(url = ""): string {
  return new URL(url, "http://server").pathname.replace(root, "").replace(/^me\//, "");
}

function serveSession(socket: WebSocket, scripted: ScriptedServer): void {
  const yamux = new YamuxSession("server");
  const calls = new Map<number, { readonly responder: DrpcResponder; path: string }>();
  const flush = (): void => {
    const output = yamux.takeOutput();
    if (output !== undefined && socket.readyState === socket.OPEN) socket.send(output);
  };
  const answer = async (streamId: number, input: Uint8Array): Promise<void> => {
    const call = calls.get(streamId);
    if (call === undefined) return;
    const { responder, path } = call;
    const parts = await scripted.answer(path, input).then(
      (output) => [responder.message(output), responder.closeSend()],
      (error: unknown) => [
        responder.error(error instanceof RpcError ? error.rpcCode : 0, errorText(error)),
      ],
    );
    try {
      for (const part of parts) yamux.write(streamId, part);
    } catch (error) {
      // The caller has left.
      if (!(error instanceof YamuxError)) throw error;
    }
    flush();
  };
  socket.on("message", (data: Buffer) => {
    for (const event of yamux.receive(new Uint8Array(data), 0)) {
      if (event.type === "opened") {
        calls.set(event.streamId, { responder: new DrpcResponder(), path: "" });
      }
      if (event.type === "finished") yamux.finish(event.streamId);
      const call = "streamId" in event ? calls.get(event.streamId) : undefined;
      if (event.type !== "data" || call === undefined) continue;
      yamux.consume(event.streamId, event.bytes.length);
      for (const part of call.responder.receive(event.bytes)) {
        if (part.type === "invoke") call.path = part.path;
        if (part.type === "message") void answer(event.streamId, part.bytes);
      }
    }
    flush();
  });
}
