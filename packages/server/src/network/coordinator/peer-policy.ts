import type { Node } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { NodeSchema } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { parseMessage } from "@slipway/wire/protobuf/message";

import { canonicalAddress } from "../../platform/fields/address.ts";
import { agentAddresses, agentPrefixes, clientPrefix, type PrefixReader } from "./node-address.ts";
import type { StandingState } from "./peer-directory.ts";
import type { PeerRequest } from "./peer-request.ts";

/**
 * The answer to a request: the reason to refuse it as a whole, or the addresses that its node reserves for its
 * holder.
 */
export type Verdict = { readonly refusal: string } | { readonly addresses: readonly string[] };

/**
 * Decides which requests of a peer are allowed (docs/protocol/tailnet.md §2.4). It remembers what it allowed. There is
 * one for each session, which may call `Coordinate` many times: each call continues with the state that the previous
 * ones left.
 */
export type PeerPolicy = (request: PeerRequest) => Promise<Verdict>;

/** The maximum number of addresses of a client; a stock one has one. */
const maxClientAddresses = 4;
/** The maximum number of tunnels of one client. */
const maxTunnels = 1024;

/** Returns the policy of an agent, which publishes its own addresses and opens no tunnel. */
export function agentPolicy(agentId: string): PeerPolicy {
  const prefixes = agentPrefixes(agentId);
  return async ({ node, addTunnel }) => {
    if (addTunnel !== undefined) return refused("agents cannot open tunnels");
    const addresses = readAll(prefixes, node?.addresses ?? []);
    if (typeof addresses === "string") return refused(`Addresses: ${addresses}`);
    const sources = readAll(prefixes, node?.allowedIps ?? []);
    if (typeof sources === "string") return refused(`AllowedIps: ${sources}`);
    // They follow from its id, so no one else can have them.
    return { addresses: [] };
  };
}

/** The policy of the server's own peer, which opens any tunnel: its callers have checked the rights of their users. */
export const serverPolicy: PeerPolicy = async ({ node }) => {
  const addresses = readAll(clientPrefix, node?.addresses ?? []);
  return typeof addresses === "string" ? refused(addresses) : { addresses };
};

/** Checks whether a client may open a tunnel to a peer; resolves to the reason if it may not. */
export type TunnelCheck = (destination: string) => Promise<string | undefined>;

/** The rules of a client, over all its calls of `Coordinate`. */
export interface ClientRules {
  readonly policy: PeerPolicy;
  /** Takes the state that other sessions of the same client have left. */
  readonly recall: (standing: StandingState) => void;
}

/**
 * Returns the rules of a client, which chooses its own address and may use it as long as no one else does: a peer
 * that published another's address would receive packets meant for the other. Its allowed sources are therefore its
 * addresses, none of which is that of an agent that it reaches, and the directory reserves them. `agentId` is the one
 * agent that it may reach, if it may reach only one.
 */
export function clientRules(agentId: string | undefined, mayReach: TunnelCheck): ClientRules {
  const reached = new ReachedAgents(agentId === undefined ? [] : [agentId]);
  let own: readonly string[] = [];
  const policy: PeerPolicy = async ({ node, addTunnel, removeTunnel, readyFor }) => {
    if (readyFor.length > 0) return refused("clients may not send ready_for_handshake");
    if (removeTunnel !== undefined && removeTunnel !== agentId) reached.delete(removeTunnel);
    if (addTunnel !== undefined) {
      const problem = await mayReach(addTunnel);
      if (problem !== undefined) return refused(problem);
      if (!reached.add(addTunnel)) return refused(`at most ${maxTunnels} tunnels may be open`);
    }
    const addresses = node === undefined ? own : clientAddresses(node);
    if (typeof addresses === "string") return refused(addresses);
    const taken = addresses.find((address) => reached.haveAddress(address));
    if (taken !== undefined) return refused(`invalid node address, got ${taken}`);
    own = addresses;
    return { addresses: node === undefined ? [] : own };
  };
  const recall = ({ nodes, destinations }: StandingState): void => {
    for (const id of destinations) reached.add(id);
    const published = nodes.map((node) => clientAddresses(parseMessage(NodeSchema, node)));
    own = [...new Set([own, ...published.filter((one) => typeof one !== "string")].flat())];
  };
  return { policy, recall };
}

/** The agents to which a client has tunnels, at most `maxTunnels`, and their addresses. */
class ReachedAgents {
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #taken = new Set<string>();

  constructor(ids: readonly string[]) {
    for (const id of ids) this.add(id);
  }

  /** Adds an agent; returns false, with nothing added, if there are too many. */
  add(id: string): boolean {
    if (this.#addresses.has(id)) return true;
    if (this.#addresses.size >= maxTunnels) return false;
    const addresses = agentAddresses(id).map(canonicalAddress);
    this.#addresses.set(id, addresses);
    for (const address of addresses) this.#taken.add(address);
    return true;
  }

  delete(id: string): void {
    for (const address of this.#addresses.get(id) ?? []) this.#taken.delete(address);
    this.#addresses.delete(id);
  }

  haveAddress(address: string): boolean {
    return this.#taken.has(address);
  }
}

/** Returns the addresses of a client's node, or the problem with them. */
function clientAddresses({ addresses, allowedIps }: Node): readonly string[] | string {
  const own = readAll(clientPrefix, addresses);
  const sources = readAll(clientPrefix, allowedIps);
  if (typeof own === "string" || typeof sources === "string") {
    return typeof own === "string" ? own : String(sources);
  }
  if (own.length > maxClientAddresses) {
    return `the node has ${own.length} addresses, at most ${maxClientAddresses} are taken`;
  }
  const other = sources.find((address) => !own.includes(address));
  return other === undefined ? own : `invalid node address, got ${other}`;
}

/** Returns the addresses of prefixes, or the problem with the first that has one. */
function readAll(read: PrefixReader, prefixes: readonly string[]): readonly string[] | string {
  const addresses: string[] = [];
  for (const prefix of prefixes) {
    const found = read(prefix);
    if ("problem" in found) return found.problem;
    addresses.push(found.address);
  }
  return addresses;
}

function refused(reason: string): Verdict {
  return { refusal: `authorization: ${reason}` };
}
