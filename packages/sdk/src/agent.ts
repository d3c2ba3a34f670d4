export type { AgentConnection } from "./agent/connection.ts";
export { dialAgent } from "./agent/dial.ts";
export type { DialOptions } from "./agent/dial.ts";
export {
  DialError,
  IdentityError,
  ReinitError,
  RpcError,
  rungs,
  SessionClosedError,
} from "./agent/errors.ts";
export type { Rung } from "./agent/errors.ts";
export { InstanceCredential } from "./agent/identity/instance-credential.ts";
export type { Cloud } from "./agent/identity/instance-identity.ts";
export { waitForReinit } from "./agent/reinit.ts";
export type { ReinitAnswer, ReinitOptions } from "./agent/reinit.ts";
export type { ReinitEvent } from "./agent/reinit-event.ts";
