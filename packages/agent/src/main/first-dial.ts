import { type Logger, settlesWithin, systemClock } from "@slipway/runtime";
import { type AgentSocket, openAgentSocket } from "@slipway/sdk/agent-socket";

/** Takes over the socket that is being opened, and ends the dial when the signal is aborted. Call it once. */
export type FirstDial = (signal: AbortSignal) => Promise<AgentSocket>;

export interface FirstDialOptions {
  readonly serverUrl: string;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/** The time for the request to leave. A distant server may take longer, and the rest of the agent is loaded meanwhile. */
const maxWaitMs = 20;

/** Dials before the rest of the agent is loaded. Resolves once the request has left, if that takes no longer than usual. */
export async function beginFirstDial({
  serverUrl,
  token,
  headers,
  logger,
}: FirstDialOptions): Promise<FirstDial> {
  const ended = new AbortController();
  const sent = Promise.withResolvers<void>();
  const socket = openAgentSocket({
    serverUrl,
    token,
    headers,
    role: "agent",
    signal: ended.signal,
    logger,
    onRung: (rung) => logger.debug({ rung }, "rung reached"),
    onRequest: () => sent.resolve(),
  });
  // It is reported to whoever takes the dial over.
  socket.catch(() => undefined);
  await settlesWithin(sent.promise, maxWaitMs, systemClock);
  return async (signal) => {
    const end = (): void => ended.abort(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener("abort", end);
    try {
      return await socket;
    } finally {
      signal.removeEventListener("abort", end);
    }
  };
}
