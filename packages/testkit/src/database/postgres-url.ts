import { join } from "node:path";

import type { EmbeddedPostgres } from "@slipway/postgres";

import type { ProxyTarget } from "../servers/tcp-proxy.ts";

const defaultPort = 5432;

/** Returns the URL of an embedded PostgreSQL that listens on a socket. */
export function socketUrl({ host, port, user, database }: EmbeddedPostgres["connection"]): string {
  const address = new URLSearchParams({ host, port: String(port), user });
  return `postgres:///${database}?${address.toString()}`;
}

/** Returns the local address of the PostgreSQL that a URL names. */
export function postgresTarget(postgresUrl: string): ProxyTarget {
  const { searchParams, port: ownPort } = new URL(postgresUrl);
  const port = Number(searchParams.get("port") ?? (ownPort || defaultPort));
  const host = searchParams.get("host");
  return host?.startsWith("/") === true ? { path: join(host, `.s.PGSQL.${port}`) } : { port };
}

/** Returns the URL of the same database at another local port, such as a proxy's. */
export function postgresUrlAt(postgresUrl: string, port: number): string {
  const url = new URL(postgresUrl);
  for (const name of ["host", "port"]) url.searchParams.delete(name);
  url.host = `127.0.0.1:${port}`;
  return url.href;
}
