export { ApiClient } from "./http/client.ts";
export type {
  ApiClientOptions,
  ClientFetch,
  ClientRequest,
  ClientResponse,
} from "./http/client.ts";
export { ApiError, ConnectError, isRetryable } from "./http/errors.ts";
