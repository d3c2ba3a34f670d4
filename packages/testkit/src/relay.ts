/** A relay on a port of this machine. */
export { openRelayServer } from "./servers/relay-server.ts";
export type {
  RelayServer,
  RelayServerOptions,
  RelayServerRequest,
} from "./servers/relay-server.ts";
