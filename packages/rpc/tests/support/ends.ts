import { silentLogger, Turnstile, UnfinishedBytes } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";

import type { SharedCalls } from "../../src/admission.ts";
import { Caller } from "../../src/caller.ts";
import type { RpcTable } from "../../src/handler.ts";
import { Responder, type ResponderSession } from "../../src/responder.ts";
import type { RpcSocket } from "../../src/socket.ts";
import { MemorySocket } from "./memory-socket.ts";

/** Opens the responding end of a session, without limits of its peer. */
export function openResponder(
  socket: RpcSocket,
  rpcs: RpcTable<ResponderSession>,
  clock: FakeClock,
): Responder<ResponderSession> {
  const unfinished = new UnfinishedBytes({ maxBytes: Infinity, timeoutMs: Infinity });
  const shared: SharedCalls = {
    turnstile: new Turnstile(() => true),
    reserve: () => 0,
    openUnfinished: (cutOff) => unfinished.open("peer", cutOff),
  };
  return new Responder(socket, rpcs, { logger: silentLogger }, { clock, shared });
}

/** Opens the calling end of a session. */
export function openCaller(socket: RpcSocket, clock: FakeClock): Caller {
  return new Caller(socket, { apiVersion: "2.10", clock });
}

export interface Session {
  readonly caller: Caller;
  readonly responder: Responder<ResponderSession>;
  readonly sockets: { readonly caller: MemorySocket; readonly responder: MemorySocket };
  readonly clock: FakeClock;
}

/** Opens both ends of a session over an in-memory socket. */
export function openSession(rpcs: RpcTable<ResponderSession>): Session {
  const clock = createFakeClock();
  const [near, far] = MemorySocket.pair();
  return {
    caller: openCaller(near, clock),
    responder: openResponder(far, rpcs, clock),
    sockets: { caller: near, responder: far },
    clock,
  };
}
