import { once } from "node:events";

import { DrpcCaller } from "@slipway/wire/drpc/caller";
import type { DescMessage, MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import { encodeMessage } from "@slipway/wire/protobuf/message";
import type { YamuxEvent } from "@slipway/wire/yamux/events";
import { YamuxSession } from "@slipway/wire/yamux/session";
import { WebSocket } from "ws";

/** A unary RPC, reduced to what a call needs. */
interface Method<I extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
}

/** An unparsed answer: the bytes of the message, or the text of the error. */
export type RawReply =
  | { readonly type: "message"; readonly bytes: Uint8Array }
  | { readonly type: "error"; readonly message: string }
  /** The stream or the session ended before an answer. */
  | { readonly type: "gone" };

/** An agent's session for which the test writes the bytes. */
export interface RawAgent extends AsyncDisposable {
  readonly socket: WebSocket;
  readonly yamux: YamuxSession;
  /** All events, in order. */
  readonly events: readonly YamuxEvent[];
  /** Resolves to the close code. */
  readonly closed: Promise<number>;
  /** Sends the session's pending output. */
  flush(): void;
  /** Resolves when `isThere` accepts the events or the socket has closed. */
  until(isThere: (events: readonly YamuxEvent[]) => boolean): Promise<void>;
  /** Calls a unary RPC. */
  call<I extends DescMessage>(method: Method<I>, input: MessageInitShape<I>): Promise<RawReply>;
  /** Calls it with bytes that may not be a valid request. */
  callBytes(method: Method<DescMessage>, request: Uint8Array): Promise<RawReply>;
}

/** Opens a session with an agent's token; a role other than `agent` is another program of the workspace. */
export async function openRawAgent(
  url: string,
  token: string,
  { role }: { readonly role?: string } = {},
): Promise<RawAgent> {
  const query = role === undefined ? "" : `&role=${encodeURIComponent(role)}`;
  const address = `${url.replace("http", "ws")}/api/v2/workspaceagents/me/rpc?version=2.10${query}`;
  const socket = new WebSocket(address, { headers: { "Coder-Session-Token": token } });
  // Each pending call adds a listener.
  socket.setMaxListeners(0);
  const yamux = new YamuxSession("client", { maxQueuedBytes: 64 * 1024 * 1024 });
  const events: YamuxEvent[] = [];
  const ended = Promise.withResolvers<number>();
  const closed = ended.promise;
  socket.on("close", (code) => ended.resolve(code));
  // A socket that does not become a session fails to open, below.
  socket.on("error", () => undefined);
  const flush = (): void => {
    const output = yamux.takeOutput();
    if (output !== undefined && socket.readyState === socket.OPEN) socket.send(output);
  };
  const calls = new Map<number, RawCall>();
  socket.on("message", (data: Buffer) => {
    for (const event of yamux.receive(data, 0)) {
      events.push(event);
      if ("streamId" in event) calls.get(event.streamId)?.take(event);
    }
    flush();
  });
  socket.on("close", () => {
    for (const call of calls.values()) call.end({ type: "gone" });
  });
  await once(socket, "open");
  const until: RawAgent["until"] = async (isThere) => {
    while (socket.readyState === socket.OPEN && !isThere(events)) {
      await Promise.race([once(socket, "message"), closed]);
    }
  };
  const callBytes: RawAgent["callBytes"] = async (method, request) => {
    if (socket.readyState !== socket.OPEN) return { type: "gone" };
    const caller = new DrpcCaller();
    const streamId = yamux.open(0);
    const { promise, resolve } = Promise.withResolvers<RawReply>();
    calls.set(streamId, new RawCall(caller, resolve));
    yamux.write(streamId, caller.invoke(`/${method.parent.typeName}/${method.name}`));
    yamux.write(streamId, caller.message(request));
    yamux.write(streamId, caller.closeSend());
    flush();
    const reply = await promise;
    calls.delete(streamId);
    yamux.finish(streamId);
    flush();
    return reply;
  };
  return {
    socket,
    yamux,
    events,
    closed,
    flush,
    until,
    call: (method, input) => callBytes(method, encodeMessage(method.input, input)),
    callBytes,
    [Symbol.asyncDispose]: async () => {
      socket.terminate();
      await closed;
    },
  };
}

/** A call that is waiting for its answer. */
class RawCall {
  readonly #caller: DrpcCaller;
  readonly end: (reply: RawReply) => void;

  constructor(caller: DrpcCaller, end: (reply: RawReply) => void) {
    this.#caller = caller;
    this.end = end;
  }

  take(event: YamuxEvent): void {
    if (event.type === "reset" || event.type === "closed") this.end({ type: "gone" });
    if (event.type !== "data") return;
    for (const part of this.#caller.receive(event.bytes)) {
      if (part.type === "message") this.end(part);
      else if (part.type === "error") this.end({ type: "error", message: part.message });
      else this.end({ type: "gone" });
    }
  }
}
