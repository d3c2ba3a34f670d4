import { isIPv4, isIPv6 } from "node:net";

import { countText } from "@slipway/runtime";

import { UsageError } from "../../command/errors.ts";

export type Protocol = "tcp" | "udp";

/** A port of this machine and the port of the workspace to which it leads. */
export interface Forward {
  readonly protocol: Protocol;
  /** The local address to listen on, without brackets; undefined for the loopback addresses. */
  readonly address: string | undefined;
  readonly localPort: number;
  readonly remotePort: number;
}

/** The maximum number of forwards of a command. */
const maxForwards = 1024;

const maxPort = 65_535;

const wanted =
  "wanted local:remote, such as 8080:80, 8080, 8080-8085:9000-9005, 0.0.0.0:8080:80 or [::1]:8080:80";

/**
 * Reads the values of `--tcp` and `--udp`, each of which may list several with commas. Throws a `UsageError` that
 * names the flag and the expected form.
 */
export function readForwards({
  tcp,
  udp,
}: Readonly<Record<Protocol, readonly string[]>>): Forward[] {
  const forwards = [
    ...tcp.flatMap((text) => readFlag("tcp", text)),
    ...udp.flatMap((text) => readFlag("udp", text)),
  ];
  if (forwards.length === 0) {
    throw new UsageError("no port to forward: pass --tcp or --udp, such as --tcp 8080:80");
  }
  if (forwards.length > maxForwards) {
    throw new UsageError(
      `${countText(forwards.length, "port")} are too many, wanted at most ${maxForwards}`,
    );
  }
  refuseRepeated(forwards);
  return forwards;
}

/** Returns the local end as people type it: `127.0.0.1:8080`, `[::1]:8080`. */
export function localText({ address = "127.0.0.1", localPort }: Forward): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${localPort}`;
}

function readFlag(protocol: Protocol, text: string): Forward[] {
  return text.split(",").flatMap((part) => readForward(protocol, part.trim()));
}

function readForward(protocol: Protocol, text: string): Forward[] {
  const { address, ports } = splitAddress(text);
  const [first = "", second = first, ...more] = ports.split(":");
  const local = readRange(first);
  const remote = readRange(second);
  if (local === undefined || remote === undefined || more.length > 0) {
    throw refusal(protocol, text, portProblem(text));
  }
  const count = local.last - local.first;
  if (count !== remote.last - remote.first) {
    throw new UsageError(
      `--${protocol} "${text}" has ${count + 1} local and ${remote.last - remote.first + 1} remote ports, ` +
        "wanted as many of both",
    );
  }
  if (count >= maxForwards) throw refusal(protocol, text, `has more than ${maxForwards} ports`);
  if (address !== undefined && !isAddress(address)) {
    const problem = `"${address}" is not an address of this machine`;
    throw refusal(protocol, text, portProblem(text) ?? problem);
  }
  return Array.from({ length: count + 1 }, (_, index) => ({
    protocol,
    address,
    localPort: local.first + index,
    remotePort: remote.first + index,
  }));
}

/**
 * Splits off the local address, which ends in a bracket or is the part before the first colon if that is not a port.
 */
function splitAddress(text: string): {
  readonly address: string | undefined;
  readonly ports: string;
} {
  const bracketed = /^\[([^\]]*)\]:(.*)$/.exec(text);
  if (bracketed !== null) return { address: bracketed[1], ports: bracketed[2] ?? "" };
  const colon = text.indexOf(":");
  const first = colon === -1 ? "" : text.slice(0, colon);
  if (colon === -1 || readRange(first) !== undefined) return { address: undefined, ports: text };
  return { address: first, ports: text.slice(colon + 1) };
}

function isAddress(text: string): boolean {
  return isIPv4(text) || isIPv6(text) || text === "localhost";
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Reads `8080` or `8080-8085`; undefined for anything else. */
function readRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  return first >= 1 && first <= last && last <= maxPort ? { first, last } : undefined;
}

/** Returns the problem with a port that is out of range; undefined if there is none. */
function portProblem(text: string): string | undefined {
  const isPort = (part: string): boolean => Number(part) >= 1 && Number(part) <= maxPort;
  const found = text.split(/[:-]/).find((part) => /^\d+$/.test(part) && !isPort(part));
  return found === undefined ? undefined : `has the port ${found}, wanted 1 to ${maxPort}`;
}

function refusal(protocol: Protocol, text: string, problem = "is not a forward"): UsageError {
  const described = problem.startsWith('"') ? `: ${problem}` : ` ${problem}`;
  return new UsageError(`--${protocol} "${text}"${described}; ${wanted}`);
}

function refuseRepeated(forwards: readonly Forward[]): void {
  const seen = new Set<string>();
  for (const forward of forwards) {
    const key = `--${forward.protocol} ${localText(forward)}`;
    if (seen.has(key)) throw new UsageError(`${key} is given twice, wanted each local port once`);
    seen.add(key);
  }
}
