export type { SharedCalls } from "./admission.ts";
export { Caller } from "./caller.ts";
export { RpcError, SessionClosedError } from "./errors.ts";
export { duplex, serverStream, unary } from "./handler.ts";
export type { RpcEntry, RpcHandler, RpcTable } from "./handler.ts";
export { maxSessionMessageBytes } from "./limits.ts";
export { Responder } from "./responder.ts";
export type { ResponderSession } from "./responder.ts";
export type { RawSocket, RpcSocket, SocketData } from "./socket.ts";
