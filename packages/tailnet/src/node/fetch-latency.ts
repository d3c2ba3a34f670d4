import { httpModule, withSystemAuthorities } from "@slipway/runtime";

import { type DerpNode, nodeUrl } from "../relay/derp-map.ts";
import { RelayError } from "../relay/errors.ts";
import type { FetchLatency, Latency } from "../relay/region-latency.ts";
import { connectOptions, followRequest, type RelayRequestOptions } from "./relay-requests.ts";

/** Returns the latency check of Node.js, which measures from the request to the first byte of the answer. */
export function createFetchLatency(options: RelayRequestOptions = {}): FetchLatency {
  return (node, signal) => withSystemAuthorities(() => fetchLatency(node, options, signal));
}

async function fetchLatency(
  node: DerpNode,
  options: RelayRequestOptions,
  signal: AbortSignal,
): Promise<Latency> {
  signal.throwIfAborted();
  const url = nodeUrl(node, "http", "/derp/latency-check");
  const connect = connectOptions(node, options);
  const request = httpModule(node.isHttp).request(url, { ...connect, signal });
  const failure = followRequest(request, node);
  const { promise, resolve, reject } = Promise.withResolvers<Latency>();
  let sentAtMs = performance.now();
  request.once("finish", () => {
    sentAtMs = performance.now();
  });
  request.once("response", (response) => {
    const latencyMs = performance.now() - sentAtMs;
    const { statusCode: status = 0 } = response;
    const family = request.socket?.remoteFamily === "IPv6" ? "v6" : "v4";
    response.destroy();
    if (status <= 299) resolve({ latencyMs, family });
    else
      reject(new RelayError("http", `latency check answered with ${String(status)}`, { status }));
  });
  request.on("error", (cause) => reject(signal.aborted ? signal.reason : failure(cause)));
  request.end();
  return promise;
}
