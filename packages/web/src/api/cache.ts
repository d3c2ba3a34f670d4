import { ApiError, isRetryable } from "@slipway/sdk/http";
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

const maxRetries = 2;
/** The longest time that a timer can wait, in milliseconds: `readAgain` resumes a read. */
const endlessMs = 2 ** 31 - 1;

/**
 * Creates the cache of the server's answers. `onLoggedOut` is called when the server no longer knows the session; it
 * returns whether reads wait for another.
 */
export function createCache(onLoggedOut: () => boolean): QueryClient {
  const onError = (error: unknown): void => {
    if (isLoggedOut(error)) onLoggedOut();
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
        // A read that waits has not failed: the page keeps what it shows, and what was typed.
        retry: (failures, error) =>
          isLoggedOut(error) ? onLoggedOut() : failures < maxRetries && isRetryable(error),
        retryDelay: (failures, error) =>
          isLoggedOut(error) ? endlessMs : Math.min(1000 * 2 ** failures, 30_000),
      },
    },
  });
}

function isLoggedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Reads again what pages show, with the session that they have now. */
export async function readAgain(cache: QueryClient): Promise<void> {
  await cache.cancelQueries();
  await cache.invalidateQueries();
}
