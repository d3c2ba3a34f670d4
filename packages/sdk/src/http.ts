export { ApiClient } from "./http/client.ts";
export type {
  ApiClientOptions,
  ClientFetch,
  ClientRequest,
  ClientResponse,
} from "./http/client.ts";
export { AnswerError, ApiError, ConnectError, isRetryable } from "./http/errors.ts";
export type { RequestTarget } from "./http/errors.ts";
