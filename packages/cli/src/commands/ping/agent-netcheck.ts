import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";

import { type Clock, readBounded, withDeadline } from "@slipway/runtime";

import type { AgentPorts } from "../../resources/network/agent-ports.ts";
import type { UdpState } from "../../resources/network/udp-state.ts";

/** The port of an agent's HTTP API, and its report about the network (docs/protocol/agent.md §8.9). */
const apiPort = 4;
const path = "/api/v0/netcheck";
/** The time for an answer, and the most bytes that are taken of it: whoever runs the workspace runs the agent. */
const timeoutMs = 5_000;
const maxBodyBytes = 256 * 1024;

/** The state of UDP on the agent's side, as far as the agent tells. */
export type AgentUdp = Extract<UdpState, "blocked" | "hard NAT" | "easy NAT" | "open">;

interface Needs {
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
}

/** Asks an agent for its own check of the network; undefined if it does not tell. Throws the signal's reason. */
export async function readAgentUdp(
  ports: Pick<AgentPorts, "dial">,
  { clock, signal }: Needs,
): Promise<AgentUdp | undefined> {
  try {
    return await withDeadline(timeoutMs, clock, async (limit) => {
      const either = AbortSignal.any([signal, limit]);
      const stream = await ports.dial(apiPort, either);
      try {
        return agentUdpOf(JSON.parse(await readBody(await send(stream, either))));
      } finally {
        stream.destroy();
      }
    });
  } catch {
    // The report only adds to what is known here; an agent may serve none.
    signal.throwIfAborted();
    return undefined;
  }
}

/** Reads what an agent's report says of UDP; undefined for one that says nothing. */
export function agentUdpOf(report: unknown): AgentUdp | undefined {
  const info = field(report, "net_info");
  const varies = field(info, "MappingVariesByDestIP");
  switch (field(info, "WorkingUDP")) {
    case false:
      return "blocked";
    case true:
      if (typeof varies !== "boolean") return "open";
      return varies ? "hard NAT" : "easy NAT";
    default:
      return undefined;
  }
}

function send(stream: Duplex, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest({ createConnection: () => stream, host: "agent", path, signal });
  request.on("response", resolve);
  request.on("error", reject);
  request.end();
  return promise;
}

async function readBody(response: IncomingMessage): Promise<string> {
  const { statusCode: status = 0 } = response;
  if (status !== 200) throw new Error(`the agent answered ${status}, wanted 200`);
  const body = await readBounded(response, maxBodyBytes);
  if (body === undefined) throw new Error(`a report of more than ${maxBodyBytes} bytes`);
  return body.toString();
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
