import type { Agent, ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { isIP, type LookupFunction } from "node:net";

import { certificateFor, type ClientCertificate, errorText, proxyAgent } from "@slipway/runtime";

import { type DerpNode, nodeUrl } from "../relay/derp-map.ts";
import { RelayError, type RelayRung } from "../relay/errors.ts";
import { lookupOf } from "./node-lookup.ts";

/** The common parts of a peer's requests to relays. */
export interface RelayRequestOptions {
  /** Additional headers, also of latency checks (docs/protocol/tailnet.md §4.1). */
  readonly headers?: Readonly<Record<string, string>>;
  /** The only origin that gets the headers (default: any). */
  readonly headersOrigin?: string;
  /** Looks up names (default: as the system does). */
  readonly lookup?: LookupFunction;
  /** Certificates of the authorities to trust, in PEM (default: those of Node.js). */
  readonly ca?: string | string[];
  /** Opens the connections, such as through a proxy (default: through the proxy of the environment, if Node.js uses one). */
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

/** Returns how to connect to a node; each request has a connection of its own. */
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

/** Follows a request to a node up to its answer; the result makes the error of a failure, which names the step. */
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
    // That of a proxy is connected when it is handed over.
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
