import { watchInboxNotifications } from "@slipway/api/notifications/routes";

import { client } from "../../api/client.ts";
import type { Probe } from "./health-checks.ts";

/** The time after which a probe has failed, in milliseconds. */
const timeoutMs = 5_000;

/** Opens a WebSocket and closes it again. */
export async function probeSocket(signal: AbortSignal): Promise<Probe> {
  const began = performance.now();
  const url = client.url(watchInboxNotifications, {}).replace(/^http/, "ws");
  const { promise, resolve } = Promise.withResolvers<Probe>();
  const socket = new WebSocket(url);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  limit.addEventListener("abort", () => resolve({ failure: "It did not open in 5 seconds." }));
  socket.addEventListener("open", () => resolve({ ms: Math.round(performance.now() - began) }));
  socket.addEventListener("error", () => resolve({ failure: "It was refused or dropped." }));
  try {
    return await promise;
  } finally {
    socket.close();
  }
}

/** Requests the smallest answer that the relay has. */
export async function probeRelay(signal: AbortSignal): Promise<Probe> {
  const began = performance.now();
  try {
    const response = await fetch("/derp/latency-check", {
      cache: "no-store",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (response.ok) return { ms: Math.round(performance.now() - began) };
    return { failure: `It answered ${response.status}.` };
  } catch {
    return { failure: "It did not answer." }; // refused, broken or too late
  }
}
