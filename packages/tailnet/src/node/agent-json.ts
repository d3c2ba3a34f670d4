import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";

import { type Clock, CodedError, errorText, readBounded, withDeadline } from "@slipway/runtime";

/** A reachable agent: connects to one of its TCP ports. */
interface DialedAgent {
  dial(port: number, signal: AbortSignal): Promise<Duplex>;
}

interface AgentRequest {
  readonly path: string;
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
}

/**
 * - `no-answer`: no complete answer came in time.
 * - `refused`: the status is not 200.
 * - `too-large`: the answer is longer than the limit.
 * - `malformed`: the answer does not have the expected form.
 */
type AgentHttpErrorCode = "no-answer" | "refused" | "too-large" | "malformed";

/** A failed request to the HTTP API of an agent. */
class AgentHttpError extends CodedError<AgentHttpErrorCode> {
  override readonly name = "AgentHttpError";

  /** True if the agent may answer another request. */
  get retryable(): boolean {
    return this.code === "no-answer";
  }
}

/** The port of an agent's HTTP API (docs/protocol/agent.md §8). */
const apiPort = 4;
/** The time for an answer to arrive. */
const timeoutMs = 10_000;
/** The maximum size of an answer, as agents are not trusted. */
const maxBodyBytes = 1024 * 1024;
const maxHeaderBytes = 16 * 1024;

/**
 * Requests JSON from the HTTP API of an agent, over a new connection. Redirects are not followed. Throws
 * `AgentHttpError`, the errors of `dial`, and the signal's reason.
 */
export async function readAgentJson(
  agent: DialedAgent,
  { path, clock, signal }: AgentRequest,
): Promise<unknown> {
  const stream = await agent.dial(apiPort, signal);
  try {
    return await withDeadline(timeoutMs, clock, async (limit) => {
      const ended = AbortSignal.any([signal, limit]);
      const body = await readBody(await send(stream, path, ended));
      // A body without a length ends where the connection does.
      ended.throwIfAborted();
      return parse(body);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AgentHttpError) throw error;
    throw new AgentHttpError("no-answer", errorText(error), { cause: error });
  } finally {
    stream.destroy();
  }
}

async function send(stream: Duplex, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest({
    createConnection: () => stream,
    host: "agent",
    path,
    maxHeaderSize: maxHeaderBytes,
    signal,
  });
  request.on("response", resolve);
  request.on("error", (error) => reject(signal.aborted ? signal.reason : error));
  request.end();
  return promise;
}

async function readBody(response: IncomingMessage): Promise<string> {
  const { statusCode: status = 0 } = response;
  if (status !== 200) throw new AgentHttpError("refused", `the agent answered ${status}`);
  const body = await readBounded(response, maxBodyBytes);
  if (body !== undefined) return body.toString();
  throw new AgentHttpError("too-large", `the answer has more than ${maxBodyBytes} bytes`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AgentHttpError("malformed", "the answer is not JSON", { cause });
  }
}
