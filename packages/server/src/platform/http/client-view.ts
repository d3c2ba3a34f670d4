import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { all, compile } from "@fastify/proxy-addr";
import { withoutMapping } from "../fields/address.ts";

/** A request as its client made it, before any trusted proxy passed it on. */
export interface ClientView {
  /** The client's address; empty if unknown. */
  readonly address: string;
  readonly protocol: "http" | "https";
  /** The requested host with its port; empty if there is none. */
  readonly host: string;
  /** The value of `X-Forwarded-For` for whom the request is passed on to: addresses that were forged are left out. */
  readonly forwardedFor: string;
}

export type ReadClientView = (request: IncomingMessage) => ClientView;

/** Returns the reader of requests that reach the server directly, or through proxies that are trusted. */
export function clientViews(trustedProxies: readonly string[]): ReadClientView {
  const trusts = compile([...trustedProxies]);
  const isTrusted = (address: string, hop: number): boolean => trusts(withoutMapping(address), hop);
  return (request) => {
    const { headers, socket } = request;
    const remote = withoutMapping(socket.remoteAddress ?? "");
    const isProxied = remote !== "" && isTrusted(remote, 0);
    // From this server's end of the connection to the first address that is not trusted.
    const chain = isProxied ? all(request, isTrusted).map(withoutMapping) : [remote];
    const addresses = chain.filter((address) => isIP(address) !== 0);
    const protocol = isProxied ? last(headers["x-forwarded-proto"]) : undefined;
    const host = isProxied ? last(headers["x-forwarded-host"]) : undefined;
    const isSecure = protocol === undefined ? "encrypted" in socket : protocol === "https";
    return {
      address: addresses.at(-1) ?? remote,
      protocol: isSecure ? "https" : "http",
      host: host ?? headers.host ?? "",
      forwardedFor: addresses.toReversed().join(", "),
    };
  };
}

/** Returns the entry that the nearest proxy added to a header. */
function last(header: string | readonly string[] | undefined): string | undefined {
  const entry = [header ?? []].flat().join(",").split(",").at(-1)?.trim();
  return entry === "" ? undefined : entry;
}
