import { lookup as systemLookup, type LookupAddress } from "node:dns";
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { type Socket, isIP, type LookupFunction, isIPv4, isIPv6 } from "node:net";

import { certificateFor, type ClientCertificate, errorText, proxyAgent } from "@slipway/runtime";

import { type DerpNode, nodeUrl } from "../relay/derp-map.ts";
import { RelayError, type RelayRung } from "../relay/errors.ts";

/** The options common to all of a peer's requests to relays. */
export interface RelayRequestOptions {
  /** Additional headers, also of latency checks (docs/protocol/tailnet.md §4.1). */
  readonly headers?: Readonly<Record<string, string>>;
  /** The only origin that gets the headers (default: any). */
  readonly headersOrigin?: string;
  /** Resolves names (default: the system's resolver). */
  readonly lookup?: LookupFunction;
  /** Certificates of the authorities to trust, in PEM (default: those of Node.js). */
  readonly ca?: string | string[];
  /**
   * Opens the connections, for example through a proxy (default: the proxy of the environment, if Node.js uses one).
   */
  readonly agent?: (isHttp: boolean) => Agent | false;
}

/** The options of a request to a node, for `http.request`, `https.request` and `ws`. */
export interface NodeConnectOptions extends Omit<ClientCertificate, "ca"> {
  readonly agent: Agent | false;
  readonly lookup: LookupFunction;
  readonly headers: Readonly<Record<string, string>>;
  readonly ALPNProtocols: string[];
  readonly rejectUnauthorized: boolean;
  readonly ca?: string | string[];
  readonly servername?: string;
}

/** The time for a TCP connection to one node (docs/protocol/tailnet.md §4.2). */
const tcpTimeoutMs = 1_500;

/** Returns the options for connecting to a node; each request has its own connection. */
export function connectOptions(node: DerpNode, options: RelayRequestOptions): NodeConnectOptions {
  const { headers = {}, headersOrigin, lookup, ca, agent } = options;
  const url = new URL(nodeUrl(node, "http", "/"));
  const isForNode = headersOrigin === undefined || url.origin === headersOrigin;
  return {
    ...certificateFor(url),
    agent: (agent ?? proxyAgent)(node.isHttp),
    lookup: lookupOf(node, lookup),
    headers: isForNode ? headers : {},
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: !node.isInsecure,
    ...(ca === undefined ? {} : { ca }),
    ...(node.certName === undefined ? {} : { servername: node.certName }),
  };
}

/** Tracks a request to a node up to its answer; the result converts a failure into an error that names the step. */
export function followRequest(
  request: ClientRequest,
  node: DerpNode,
): (cause: unknown) => RelayError {
  let rung: RelayRung = isIP(node.hostName) === 0 ? "dns" : "tcp";
  request.once("socket", (socket: Socket) => {
    const connected = (): void => {
      rung = node.isHttp ? "http" : "tls";
    };
    socket.once("secureConnect", () => {
      rung = "http";
    });
    // A proxy's socket is handed over connected.
    if (!socket.connecting) return connected();
    const onTimeout = (): void => {
      socket.destroy(new Error(`no connection within ${String(tcpTimeoutMs)} ms`));
    };
    socket.setTimeout(tcpTimeoutMs, onTimeout);
    socket.once("lookup", (error: Error | null) => {
      if (error === null) rung = "tcp";
    });
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("timeout", onTimeout);
      connected();
    });
  });
  return (cause) =>
    new RelayError(rung, `no answer from ${node.hostName}: ${errorText(cause)}`, { cause });
}

/** Returns the lookup of a node's name; addresses in the map replace it (docs/protocol/tailnet.md §3.1). */
function lookupOf(
  { ipv4, ipv6 }: Pick<DerpNode, "ipv4" | "ipv6">,
  lookup: LookupFunction = systemLookup,
): LookupFunction {
  const [first, ...rest] = literals(ipv4, ipv6);
  if (first !== undefined) {
    return (_host, { all }, callback) => {
      if (all === true) callback(null, [first, ...rest]);
      else callback(null, first.address, first.family);
    };
  }
  if (ipv4 === undefined && ipv6 === undefined) return lookup;
  // A text that is not an address disables its family.
  const family = ipv4 === undefined ? 4 : 6;
  return (host, options, callback) => lookup(host, { ...options, family }, callback);
}

function literals(ipv4: string | undefined, ipv6: string | undefined): LookupAddress[] {
  const found: LookupAddress[] = [];
  if (ipv6 !== undefined && isIPv6(ipv6)) found.push({ address: ipv6, family: 6 });
  if (ipv4 !== undefined && isIPv4(ipv4)) found.push({ address: ipv4, family: 4 });
  return found;
}

/** The number of bytes to read of a refusal's body. */
const maxBodyBytes = 1_024;

/** Returns the error for an answer other than an upgrade, with its status and the beginning of its text. */
export async function readRefusal(response: IncomingMessage): Promise<RelayError> {
  const status = response.statusCode ?? 0;
  let text = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      text += String(chunk);
      if (text.length >= maxBodyBytes) break;
    }
  } catch {
    // The status says enough if the text is lost on the way.
  }
  const body = text.slice(0, maxBodyBytes).trim();
  const reason = `${String(status)} ${response.statusMessage ?? ""}`.trim();
  const message = body === "" ? reason : `${reason}: ${body}`;
  return new RelayError("upgrade", message, { status });
}
