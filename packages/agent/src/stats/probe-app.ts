import type { IncomingMessage } from "node:http";

import { httpModule, withTimeout } from "@slipway/runtime";

const maxRedirects = 10;

/** Reports whether the address answers, after redirects, with a status below 500 within the time. */
export async function probeApp(
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const limit = withTimeout(signal, timeoutMs);
  let target = URL.parse(url);
  try {
    for (let count = 0; target !== null && count <= maxRedirects; count += 1) {
      const response = await get(target, limit);
      response.destroy();
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      if (status < 300 || status >= 400 || location === undefined) return status < 500;
      target = URL.parse(location, target.href);
    }
  } catch {
    // No answer is a result here; the caller sees the agent's own shutdown.
  }
  return false;
}

function get(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = httpModule(url.protocol !== "https:");
    // No agent: a connection kept open would keep a dead application looking alive.
    request(url, { signal, agent: false }, resolve).once("error", reject).end();
  });
}
