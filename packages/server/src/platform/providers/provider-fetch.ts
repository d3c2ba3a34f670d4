import { errorText, readBounded, untrustedAuthorityHint } from "@slipway/runtime";

import { ProviderError } from "./provider-error.ts";

/** The timeout of a provider's answer with its body. */
const providerTimeoutMs = 10_000;
/** The maximum length of a provider's answer, in bytes. */
export const maxProviderAnswerBytes = 256 * 1024;
/** The maximum number of concurrent requests of this replica to one provider; more are refused, not queued. */
const maxProviderRequests = 64;

/** Sends a request; resolves once the body has arrived. */
export type ProviderFetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Creates the function that sends requests to one provider: limited in time, bytes and number, and without following
 * redirects, which would carry tokens to other hosts. Rejects with `ProviderError`.
 */
export function createProviderFetch(
  { timeoutMs, maxRequests }: { readonly timeoutMs: number; readonly maxRequests: number } = {
    timeoutMs: providerTimeoutMs,
    maxRequests: maxProviderRequests,
  },
): ProviderFetch {
  let running = 0;
  return async (url, init) => {
    if (running >= maxRequests) {
      throw new ProviderError("unreachable", `${maxRequests} requests to it are already under way`);
    }
    running += 1;
    try {
      return await fetchWhole(url, init, timeoutMs);
    } finally {
      running -= 1;
    }
  };
}

async function fetchWhole(url: string, init: RequestInit, timeoutMs: number): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signals = init.signal === undefined || init.signal === null ? [] : [init.signal];
  try {
    const signal = AbortSignal.any([...signals, timeout]);
    const response = await fetch(url, { ...init, redirect: "manual", signal });
    const body = await readBody(response);
    return new Response(hasNoBody(response.status) ? null : body, {
      status: response.status,
      headers: response.headers,
    });
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    if (timeout.aborted) {
      throw new ProviderError("unreachable", `it did not answer within ${timeoutMs / 1000} s`);
    }
    for (const signal of signals) signal.throwIfAborted();
    throw new ProviderError("unreachable", `it cannot be reached: ${causeOf(error)}`);
  }
}

async function readBody({ body }: Response): Promise<Buffer<ArrayBuffer> | null> {
  const bytes = body === null ? null : await readBounded(body, maxProviderAnswerBytes);
  if (bytes !== undefined) return bytes;
  throw new ProviderError(
    "malformed",
    `found an answer of more than ${maxProviderAnswerBytes} bytes`,
  );
}

/** Returns whether `Response` takes no body with a status. */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Returns the cause of a failed request, which `fetch` hides behind its own error. */
function causeOf(error: unknown): string {
  const text = errorText(error instanceof Error && error.cause !== undefined ? error.cause : error);
  const hint = untrustedAuthorityHint(error);
  return hint === undefined ? text : `${text} (${hint})`;
}
