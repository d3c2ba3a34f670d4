import type { Socket } from "node:net";

import { RpcError, type RpcHandler, type RpcTable } from "@slipway/rpc";
import { errorText, type Logger } from "@slipway/runtime";
import { DrpcError } from "@slipway/wire/drpc/errors";
import { DrpcResponder } from "@slipway/wire/drpc/responder";
import { drpcCodeUnimplemented } from "@slipway/wire/drpc/rpc-error";

/** Bounds of one connection of a program. */
export const connectionLimits = {
  /** Bytes of an incomplete request; the largest request is an app's status. */
  maxRequestBytes: 64 * 1024,
  /** The maximum length of an error's text. */
  maxErrorText: 1_024,
} as const;

interface Call<S> {
  readonly handler: RpcHandler<S>;
  readonly path: string;
  readonly abort: AbortController;
  isAnswered: boolean;
}

export interface ConnectionNeeds<S> {
  readonly calls: RpcTable<S>;
  readonly state: S;
  readonly logger: Logger;
}

/**
 * Answers the unary RPCs of a program, one at a time, on a plain stream (docs/protocol/rpc.md §3). A program that violates the
 * protocol is disconnected; one that does not read gets no more answers.
 */
export function serveSocketConnection<S>(socket: Socket, needs: ConnectionNeeds<S>): void {
  const { calls, state, logger } = needs;
  const responder = new DrpcResponder();
  let current: Call<S> | undefined;

  const write = (bytes: Uint8Array): void => {
    if (bytes.length > 0 && !socket.write(bytes)) socket.pause();
  };
  const cancel = (): void => {
    current?.abort.abort(new DOMException("caller is gone", "AbortError"));
    current = undefined;
  };
  const invoke = (path: string): void => {
    cancel();
    const handler = calls.get(path);
    if (handler === undefined) {
      const text = `unknown rpc: "${path}"`.slice(0, connectionLimits.maxErrorText);
      write(responder.error(drpcCodeUnimplemented, text));
      return;
    }
    current = { handler, path, abort: new AbortController(), isAnswered: false };
  };
  const answer = async (call: Call<S>, request: Uint8Array): Promise<void> => {
    const { handler, path, abort } = call;
    try {
      if (handler.kind !== "unary") throw new RpcError("only unary calls are answered here");
      const message = await handler.answer(state, request, abort.signal);
      if (abort.signal.aborted) return;
      write(responder.message(message));
      write(responder.closeSend());
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof RpcError)) {
        logger.warn({ rpc: path, error: errorText(error) }, "call failed");
      }
      const text = errorText(error).slice(0, connectionLimits.maxErrorText);
      write(responder.error(error instanceof RpcError ? error.rpcCode : 0, text));
    }
    if (current === call) current = undefined;
  };
  const receive = (chunk: Uint8Array): void => {
    for (const event of responder.receive(chunk)) {
      switch (event.type) {
        case "invoke":
          invoke(event.path);
          break;
        case "message":
          // A call takes one request.
          if (current === undefined || current.isAnswered) break;
          current.isAnswered = true;
          void answer(current, event.bytes);
          break;
        case "close-send":
          break;
        case "cancel":
          cancel();
      }
    }
    if (responder.waitingBytes > connectionLimits.maxRequestBytes) {
      throw new RangeError(`more than ${connectionLimits.maxRequestBytes} bytes of a request wait`);
    }
  };

  socket.on("data", (chunk: Buffer) => {
    try {
      receive(chunk);
    } catch (error) {
      if (!(error instanceof DrpcError || error instanceof RangeError)) throw error;
      logger.debug({ error: errorText(error) }, "program disconnected");
      socket.destroy();
    }
  });
  socket.on("drain", () => socket.resume());
  // The program was killed.
  socket.on("error", () => undefined);
  socket.on("close", cancel);
}
