import { attachRun, type Run } from "@slipway/api/agents/run-routes";
import { parseRunEvent, RunFrameError, type RunEvent } from "@slipway/wire/services/run-frames";

import { ConnectError } from "../http/errors.ts";
import { createWebSocket } from "../stream/socket.ts";
import { RunError } from "./errors.ts";
import type { RunTarget } from "./run-target.ts";

/** The time for a server to open a socket. */
const openTimeoutMs = 30_000;

/** The end of a connection to a run. */
interface RunSocketEnd {
  readonly code: number;
  readonly reason: string;
  /** Set if the agent sent what no agent sends. */
  readonly violation: RunError | undefined;
}

/** A connection to a run. */
export interface RunSocket {
  readonly send: (message: Uint8Array) => void;
  readonly ended: Promise<RunSocketEnd>;
  /** Closes the connection; no event follows. */
  close(): void;
}

interface RunPlace {
  readonly runId: string;
  readonly instanceId: string | undefined;
  /** The position up to which the caller has the output. */
  readonly after: number;
}

/**
 * Attaches to a run until the signal is aborted. Rejects with `ConnectError`, whose cause the plain route may tell, and with
 * the signal's reason.
 */
export async function openRunSocket(
  { client, agentId }: RunTarget,
  { runId, instanceId, after }: RunPlace,
  onEvent: (event: RunEvent) => void,
  signal: AbortSignal,
): Promise<RunSocket> {
  signal.throwIfAborted();
  const url = client.url(attachRun, {
    params: { agent: agentId, run: runId },
    query: {
      after: String(after),
      ...(instanceId === undefined ? {} : { instance_id: instanceId }),
    },
  });
  const create = client.createSocket ?? createWebSocket;
  const socket = await create(url, client.headers);
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<RunSocketEnd>();
  const late = setTimeout(() => socket.close(), openTimeoutMs);
  let violation: RunError | undefined;
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    socket.close(1000);
  };
  socket.addEventListener("open", () => {
    clearTimeout(late);
    opened.resolve();
  });
  socket.addEventListener("message", ({ data }: { readonly data: unknown }) => {
    if (isClosed) return;
    try {
      if (!(data instanceof ArrayBuffer)) throw new RunFrameError("text message");
      onEvent(parseRunEvent(new Uint8Array(data)));
    } catch (cause) {
      violation = new RunError("malformed", "the agent's message is malformed", {
        admitted: "unknown",
        cause,
      });
      socket.close(3003);
    }
  });
  // An error is always followed by a close event.
  socket.addEventListener("error", () => undefined);
  socket.addEventListener("close", ({ code, reason }) => {
    clearTimeout(late);
    signal.removeEventListener("abort", close);
    isClosed = true;
    opened.reject(new ConnectError(url, { cause: new Error(`socket closed with ${code}`) }));
    ended.resolve({ code, reason, violation });
  });
  signal.addEventListener("abort", close, { once: true });
  // It may have been aborted while the socket was created.
  if (signal.aborted) close();
  await opened.promise.catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
  return {
    send: (message) => {
      if (socket.readyState === 1) socket.send(Uint8Array.from(message));
    },
    ended: ended.promise,
    close,
  };
}

/** Parses the description of a run in a message. Throws `RunFrameError`. */
export function parseRunState(json: string): Run {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- answers are trusted to follow the contract
    return JSON.parse(json) as Run;
  } catch (cause) {
    throw new RunFrameError("a state that is not JSON", { cause });
  }
}
