export { ApiClient } from "./http/client.ts";
export type { ApiClientOptions } from "./http/client.ts";
export { ApiError, ConnectError, isRetryable } from "./http/errors.ts";
