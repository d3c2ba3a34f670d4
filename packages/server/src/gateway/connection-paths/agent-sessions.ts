import { readAddress } from "../../features/agents/connections/connection-rpc.ts";
import { Unreachable } from "../../platform/errors/errors.ts";
import { readUuid } from "../../platform/fields/uuid.ts";

/** An open session as its agent lists it. */
export interface AgentSession {
  readonly id: string;
  /** The address of its client inside the network, in its canonical form; null if the agent knows none. */
  readonly address: string | null;
  /** Undefined if the client has not answered the agent in time. */
  readonly path: SessionPath | undefined;
}

/** The path between an agent and a client, and the round trip in milliseconds. */
export type SessionPath =
  | { readonly kind: "direct"; readonly latencyMs: number }
  | { readonly kind: "relay"; readonly regionId: number; readonly latencyMs: number };

/** The maximum number of sessions that an agent lists. */
const maxSessions = 256;

/** Parses the agent's list. Throws `Unreachable`. */
export function parseAgentSessions(answer: unknown): readonly AgentSession[] {
  const { connections } = fieldsOf(answer);
  if (!Array.isArray(connections) || connections.length > maxSessions) {
    throw malformed(`there is no list of at most ${maxSessions} connections`);
  }
  return connections.map(parseSession);
}

function parseSession(item: unknown): AgentSession {
  const { id: text, ip: address, path } = fieldsOf(item);
  const id = typeof text === "string" ? readUuid(text) : undefined;
  if (id === undefined) throw malformed("a connection has no id");
  if (typeof address !== "string") throw malformed("a connection has no address");
  return {
    id,
    address: readAddress(address),
    path: path === undefined ? undefined : parsePath(path),
  };
}

function parsePath(item: unknown): SessionPath {
  const { kind, region_id: regionId, latency_ms: latencyMs } = fieldsOf(item);
  if (typeof latencyMs !== "number" || !(latencyMs >= 0)) throw malformed("a path has no latency");
  if (kind === "direct") return { kind, latencyMs };
  if (kind !== "relay" || typeof regionId !== "number" || !Number.isInteger(regionId)) {
    throw malformed("a path is neither direct nor by a relay");
  }
  return { kind, regionId, latencyMs };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw malformed("a part is not an object");
  return { ...value };
}

function malformed(detail: string): Unreachable {
  return new Unreachable("The agent's answer is malformed.", { detail });
}
