export type { AgentConnection } from "./agent/connection.ts";
export { dialAgent } from "./agent/dial.ts";
export type { DialOptions } from "./agent/dial.ts";
export { DialError, RpcError, rungs, SessionClosedError } from "./agent/errors.ts";
export type { Rung } from "./agent/errors.ts";
