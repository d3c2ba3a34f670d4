import { ApiError, isRetryable } from "@slipway/sdk/http";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

const maxRetries = 2;

/** Creates the cache of the server's answers. `onLoggedOut` is called when the server no longer knows the session. */
export function createCache(onLoggedOut: () => void): QueryClient {
  const onError = (error: unknown): void => {
    if (error instanceof ApiError && error.status === 401) onLoggedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // The server may be on this machine or in this network: whether the browser is online says nothing about it.
      mutations: { networkMode: "always" },
      queries: {
        networkMode: "always",
        // Streams tell of changes; what has none is read again when the page is looked at.
        staleTime: 10_000,
        retry: (failures, error) => failures < maxRetries && isRetryable(error),
      },
    },
  });
}
