import type { Node } from "@slipway/wire";

import {
  agentAddresses,
  agentPrefixes,
  canonicalAddress,
  clientPrefix,
  type PrefixReader,
} from "./node-address.ts";
import type { PeerRequest } from "./peer-request.ts";

/** The answer to a request: the reason to refuse it as a whole, or the addresses that its node takes for its holder. */
export type Verdict = { readonly refusal: string } | { readonly addresses: readonly string[] };

/** Decides what a peer may ask (docs/protocol/tailnet.md §2.4). One for each connection: it remembers what it allowed. */
export type PeerPolicy = (request: PeerRequest) => Promise<Verdict>;

/** The addresses of a client; a stock one has one. */
const maxClientAddresses = 4;
/** The most tunnels that one connection of a client opens. */
const maxTunnels = 1024;

/** An agent publishes its own addresses and opens no tunnel. */
export function agentPolicy(agentId: string): PeerPolicy {
  const prefixes = agentPrefixes(agentId);
  return async ({ node, addTunnel }) => {
    if (addTunnel !== undefined) return refused("agents cannot open tunnels");
    const addresses = readAll(prefixes, node?.addresses ?? []);
    if (typeof addresses === "string") return refused(`Addresses: ${addresses}`);
    const sources = readAll(prefixes, node?.allowedIps ?? []);
    if (typeof sources === "string") return refused(`AllowedIps: ${sources}`);
    // They follow from its id, so nobody else can have them.
    return { addresses: [] };
  };
}

/** The server's own peer opens any tunnel: its callers have checked what their users may do. */
export const serverPolicy: PeerPolicy = async ({ node }) => {
  const addresses = readAll(clientPrefix, node?.addresses ?? []);
  return typeof addresses === "string" ? refused(addresses) : { addresses };
};

/** Finds out whether a client may open a tunnel to a peer; the text tells why not. */
export type TunnelCheck = (destination: string) => Promise<string | undefined>;

/**
 * A client chooses its own address, and may use it as long as nobody else does: a peer that published another's address
 * would be sent what is meant for that one. So its allowed sources are its addresses, none of which is that of an agent
 * that it reaches, and the directory reserves them.
 */
export function clientPolicy(mayReach: TunnelCheck): PeerPolicy {
  const reached = new Set<string>();
  let own: readonly string[] = [];
  return async ({ node, addTunnel, removeTunnel, readyFor }) => {
    if (readyFor.length > 0) return refused("clients may not send ready_for_handshake");
    if (removeTunnel !== undefined) reached.delete(removeTunnel);
    if (addTunnel !== undefined) {
      const problem = await mayReach(addTunnel);
      if (problem !== undefined) return refused(problem);
      reached.add(addTunnel);
      if (reached.size > maxTunnels) return refused(`at most ${maxTunnels} tunnels may be open`);
    }
    if (node !== undefined) {
      const addresses = clientAddresses(node);
      if (typeof addresses === "string") return refused(addresses);
      own = addresses;
    }
    const theirs = [...reached].flatMap(agentAddresses).map(canonicalAddress);
    const taken = theirs.find((address) => own.includes(address));
    if (taken !== undefined) return refused(`invalid node address, got ${taken}`);
    return { addresses: node === undefined ? [] : own };
  };
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
