import { isIP } from "node:net";

import { readUrl, type Report, type SettingSource, webProtocols } from "./setting-source.ts";
import { parseWildcardAccessUrl, type WildcardAccessUrl } from "./wildcard-access-url.ts";

/** The address that the server listens on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system pick one. */
  readonly port: number;
}

/** The UDP address at which clients learn the address that the server sees. */
export interface StunSettings {
  readonly host: string;
  /** The port (default: that of the listener). */
  readonly port: number | undefined;
  /** True if the server must not start without it, because the operator asked for it. */
  readonly isRequired: boolean;
}

/** Reads the address to listen on. */
export function readListenAddress(source: SettingSource, report: Report): ListenAddress {
  const name = "SLIPWAY_HTTP_ADDRESS";
  const address = parseListenAddress(source[name] || "127.0.0.1:3000");
  if (address !== undefined) return address;
  report(name, "an address and a port, such as 127.0.0.1:3000");
  return { host: "127.0.0.1", port: 3000 };
}

/**
 * Reads the address of STUN. The default is that of the listener if clients reach it directly, not through a proxy: a
 * port that UDP does not reach makes them wait.
 */
export function readStun(
  source: SettingSource,
  { listen, accessUrl }: { readonly listen: ListenAddress; readonly accessUrl: string | undefined },
  report: Report,
): StunSettings | undefined {
  const name = "SLIPWAY_STUN_ADDRESS";
  const text = source[name] || "auto";
  if (text === "off") return undefined;
  if (text === "auto") {
    const isDirect = accessUrl === undefined || new URL(accessUrl).port === `${listen.port}`;
    return isDirect ? { host: listen.host, port: undefined, isRequired: false } : undefined;
  }
  const address = parseListenAddress(text);
  if (address !== undefined) return { ...address, isRequired: true };
  return report(name, "an address and a port, such as 0.0.0.0:3478, or off");
}

/** Reads a URL without a path: a relay is at `/derp`. */
export function readRelayUrl(source: SettingSource, report: Report): string | undefined {
  const name = "SLIPWAY_RELAY_URL";
  const text = readUrl(source, name, webProtocols, report);
  if (text === undefined) return undefined;
  const { origin, href } = new URL(text);
  if (href === `${origin}/`) return origin;
  return report(name, "a URL without a path, such as http://10.0.0.5:3000");
}

/** Parses host and port as `127.0.0.1:3000`, `[::1]:3000` or `:3000`. */
function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.["port"]);
  if (match === null || port > 65_535) return undefined;
  const host = match.groups?.["v6"] ?? match.groups?.["host"] ?? "";
  return { host: host === "" ? "0.0.0.0" : host, port };
}

/** Reads the hosts of subdomain apps. */
export function readWildcardAccessUrl(
  source: SettingSource,
  report: Report,
): WildcardAccessUrl | undefined {
  const name = "SLIPWAY_WILDCARD_ACCESS_URL";
  const text = source[name];
  if (text === undefined || text === "") return undefined;
  const wanted = "a host that begins with *, such as *.apps.example.com or *-apps.example.com";
  return parseWildcardAccessUrl(text) ?? report(name, wanted);
}

/** The beginning of a URL with a user and without a host, which libpq accepts and the URL standard does not. */
const userWithoutHost = /^(postgres(?:ql)?:\/\/[^/?#]*@)(?=\/)/;

/**
 * Reads the address, with the password from libpq's variable unless the address contains one. A URL that names its host
 * only as a parameter, such as the directory of a socket, gets a host that the parameter overrides.
 */
export function readPostgresUrl(source: SettingSource, report: Report): string | undefined {
  const name = "SLIPWAY_POSTGRES_URL";
  const given = { [name]: source[name]?.replace(userWithoutHost, "$1localhost") };
  const text = readUrl(given, name, ["postgres:", "postgresql:"], report);
  const password = source["PGPASSWORD"];
  if (text === undefined || password === undefined || password === "") return text;
  const url = new URL(text);
  if (url.password !== "" || url.searchParams.has("password")) return text;
  return `${text}${url.search === "" ? "?" : "&"}password=${encodeURIComponent(password)}`;
}

/** Reads the addresses and networks of trusted proxies. */
export function readProxies(source: SettingSource, report: Report): readonly string[] {
  const name = "SLIPWAY_TRUSTED_PROXIES";
  const text = source[name];
  if (text === undefined || text === "") return [];
  const proxies = parseTrustedProxies(text);
  if (proxies === undefined) {
    report(name, "addresses and networks such as 10.0.0.0/8, separated by commas");
  }
  return proxies ?? [];
}

/** The maximum number of networks in the list. */
const maxProxies = 256;

/**
 * Parses a list of addresses and networks, such as `10.0.0.0/8, ::1`; undefined if any is invalid. Networks that
 * include every address are invalid too: they would let anyone forge their address.
 */
export function parseTrustedProxies(text: string): readonly string[] | undefined {
  const entries = text.split(",").map((entry) => entry.trim());
  const isRight = entries.length <= maxProxies && entries.every(isNetwork);
  return isRight ? entries : undefined;
}

function isNetwork(entry: string): boolean {
  const match = /^(?<address>[^/%]+)(?:\/(?<bits>\d{1,3}))?$/.exec(entry);
  const family = isIP(match?.groups?.["address"] ?? "");
  if (family === 0) return false;
  const maxBits = family === 6 ? 128 : 32;
  const bits = Number(match?.groups?.["bits"] ?? maxBits);
  return bits >= 1 && bits <= maxBits;
}
