import { type Logger, settlesWithin, systemClock } from "@slipway/runtime";
import { type AgentSocket, openAgentSocket } from "@slipway/sdk/agent-socket";

/** Resolves to the socket of the dial; the signal aborts the dial. Call it once. */
export type FirstDial = (signal: AbortSignal) => Promise<AgentSocket>;

export interface FirstDialOptions {
  readonly serverUrl: string;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/** The longest wait for the request to be sent. A distant server may take longer; the rest of the agent is loaded then. */
const maxWaitMs = 20;

/** Dials before the rest of the agent is loaded. Resolves once the request has been sent, or after a short wait. */
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
  // Its error is reported to the caller of the result.
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
