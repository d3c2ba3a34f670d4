/** A relay on a local port. */
export { openRelayServer } from "./servers/relay-server.ts";
export type {
  RelayServer,
  RelayServerOptions,
  RelayServerRequest,
} from "./servers/relay-server.ts";
/** The login of a relay client whose bytes a test or a benchmark writes itself. */
export { encodeRelayLogin } from "./servers/relay-login.ts";
