import type { RpcSocket } from "@slipway/rpc";
import { Backoff, type Clock, errorText, type Logger, Scope } from "@slipway/runtime";

import { MessageChannel } from "../features/provisioners/message-channel.ts";
import {
  parseServerMessage,
  type ProvisionerMessage,
  type ServerMessage,
} from "../features/provisioners/session-messages.ts";
import type { ServerChannel } from "./call-link.ts";
import type { ProvisionerHost } from "./provisioner-host.ts";

/** Opens a session's socket. Rejects when that may succeed later. */
export type DialServer = (signal: AbortSignal) => Promise<RpcSocket | { readonly refusal: string }>;

export interface SessionsOptions {
  readonly host: ProvisionerHost;
  readonly dial: DialServer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when no more jobs are to be taken. */
  readonly draining: AbortSignal;
}

/** The time between signs of life, and the silence after which the server is gone. */
const aliveMs = 10_000;
const maxSilenceMs = 35_000;
/** The length of a session after which the delays before the next one start over. */
const stableMs = 30_000;

/**
 * Serves one session after another. Resolves when a drain is complete, or to the reason why the server refuses sessions. Rejects
 * with the signal's reason.
 */
export async function serveSessions(
  options: SessionsOptions,
  signal: AbortSignal,
): Promise<"drained" | { readonly refusal: string }> {
  const { host, dial, clock, logger, draining } = options;
  const backoff = new Backoff();
  for (;;) {
    signal.throwIfAborted();
    if (draining.aborted && host.size === 0) return "drained";
    try {
      const dialed = await dial(signal);
      if ("refusal" in dialed) return dialed;
      const openedMs = clock.monotonic();
      logger.info({}, "connected: waiting for jobs");
      if (await serveSession(options, dialed, signal)) return "drained";
      if (clock.monotonic() - openedMs >= stableMs) backoff.reset();
      logger.warn({ runs: host.size }, "connection lost, connecting again");
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ error: errorText(error) }, "cannot connect, trying again");
    }
    await clock.sleep(backoff.next(), signal);
  }
}

/** Serves a session until it ends; resolves to true if that was the end of a drain. */
async function serveSession(
  { host, clock, draining }: SessionsOptions,
  socket: RpcSocket,
  signal: AbortSignal,
): Promise<boolean> {
  const channel: ServerChannel = new MessageChannel<ServerMessage, ProvisionerMessage>(
    socket,
    parseServerMessage,
  );
  await using scope = new Scope();
  let heardAtMs = clock.monotonic();
  scope.run(async (stop) => {
    for (;;) {
      await clock.sleep(aliveMs, stop);
      if (clock.monotonic() - heardAtMs > maxSilenceMs) channel.close(1001, "no sign of life");
      await channel.send({ type: "alive" }).catch(() => undefined);
    }
  });
  const say = (): void => void channel.send({ type: "drain" }).catch(() => undefined);
  const leave = (): void => channel.close(1000, "the provisioner has ended");
  draining.addEventListener("abort", say, { once: true });
  signal.addEventListener("abort", leave, { once: true });
  if (draining.aborted) say();
  if (signal.aborted) leave();
  try {
    for await (const message of channel) {
      heardAtMs = clock.monotonic();
      if (message.type === "drained") {
        leave();
        return true;
      }
      host.receive(channel, message);
    }
    return false;
  } finally {
    draining.removeEventListener("abort", say);
    signal.removeEventListener("abort", leave);
    host.endSession();
  }
}
