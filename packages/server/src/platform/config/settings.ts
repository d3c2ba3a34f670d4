import type { X509Certificate } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

import type { IdentitySettings } from "@slipway/identity";

import { readCertificateFile } from "./certificates.ts";
import { ConfigError } from "./errors.ts";
import {
  type ExternalAuthProvider,
  isProviderSecret,
  readExternalAuth,
} from "./external-auth-settings.ts";
import {
  defaultLimits,
  limitRange,
  type Limits,
  limitVariable,
  mapLimits,
  parseLimit,
} from "./limits.ts";
import { readSshSettings, type SshSettings } from "./ssh-settings.ts";
import { parseTrustedProxies } from "./trusted-proxies.ts";
import { parseWildcardAccessUrl, type WildcardAccessUrl } from "./wildcard-access-url.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = "pretty" | "json";

/** The address that the server listens on. */
export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system pick one. */
  readonly port: number;
}

export const pathAppsChoices = ["sandbox", "owner", "shared", "off"] as const;

/**
 * The handling of apps that are opened by a path, at the origin of the server's own pages and API:
 * - `sandbox`: for the owner of the workspace, and browsers isolate them from the origin.
 * - `owner`: for the owner of the workspace.
 * - `shared`: for all users that the app's sharing level allows.
 * - `off`: for nobody.
 */
export type PathApps = (typeof pathAppsChoices)[number];

/** The UDP address at which the server tells clients under which address it sees them. */
export interface StunSettings {
  readonly host: string;
  /** The port (default: the number of the listener's). */
  readonly port: number | undefined;
  /** True if a start without it fails: it was asked for. */
  readonly isRequired: boolean;
}

/** The administrator created when there is no user. */
export interface AdminSettings {
  readonly username: string;
  readonly email: string;
  /** The password (default: a random one, printed once). */
  readonly password: string | undefined;
}

/** The driver that starts agents on the server's own machine. */
export interface ProcessDriverSettings {
  readonly isEnabled: boolean;
  /** The range of uids for workspaces if the server is root. */
  readonly uids: { readonly first: number; readonly last: number };
}

/** The archives of the agent and the command, for machines without Node.js. */
export interface DownloadSettings {
  /** On request, archives are made when they are first asked for; otherwise all of them at the start, or none. */
  readonly mode: (typeof downloadModes)[number];
  /** A directory of ready archives, which are taken as they are; undefined if the server makes them. */
  readonly directory: string | undefined;
}

export const downloadModes = ["on-request", "at-start", "off"] as const;

/** The configuration of a server, read once (docs/configuration.md). */
export interface Settings {
  readonly listen: ListenAddress;
  /** The UDP address for STUN; undefined if there is none. */
  readonly stun: StunSettings | undefined;
  /** The URL at which other replicas reach this one's relay (default: derived from the listen address). */
  readonly relayUrl: string | undefined;
  /** Without a trailing slash (default: derived from the listen address). */
  readonly accessUrl: string | undefined;
  /** The hosts of subdomain apps; undefined if there are none. */
  readonly wildcardAccessUrl: WildcardAccessUrl | undefined;
  readonly pathApps: PathApps;
  readonly dataDir: string;
  /** Undefined for the embedded database. */
  readonly postgresUrl: string | undefined;
  /** Addresses and networks whose `X-Forwarded-…` headers are trusted. */
  readonly trustedProxies: readonly string[];
  readonly admin: AdminSettings;
  /** The first encrypts, all decrypt (default: a key kept in the data directory). */
  readonly secretKeys: readonly string[] | undefined;
  readonly identity: IdentitySettings;
  readonly processDriver: ProcessDriverSettings;
  readonly downloads: DownloadSettings;
  readonly ssh: SshSettings;
  /** The providers that users may link to their accounts, in the order of their numbers. */
  readonly externalAuth: readonly ExternalAuthProvider[];
  readonly limits: Limits;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
}

/** Settings by variable name; flags of the same names have been merged in by the caller. */
export type SettingSource = Readonly<Record<string, string | undefined>>;

/** Reads and checks every setting; throws `ConfigError` with all faults. */
export function readSettings(source: SettingSource, isTerminal: boolean): Settings {
  const problems: string[] = [];
  const report = (name: string, wanted: string): undefined => {
    problems.push(`${name} must be ${wanted}, found ${foundText(name, source[name])}`);
  };
  const listen = readListenAddress(source, report);
  const accessUrl = readUrl(source, "SLIPWAY_ACCESS_URL", webProtocols, report)?.replace(
    /\/+$/,
    "",
  );
  const settings: Settings = {
    listen,
    stun: readStun(source, { listen, accessUrl }, report),
    relayUrl: readRelayUrl(source, report),
    accessUrl,
    wildcardAccessUrl: readWildcardAccessUrl(source, report),
    pathApps: readChoice(source, "SLIPWAY_PATH_APPS", pathAppsChoices, "sandbox", report),
    dataDir: readDataDir(source),
    postgresUrl: readPostgresUrl(source, report),
    trustedProxies: readProxies(source, report),
    admin: {
      username: source["SLIPWAY_ADMIN_USERNAME"] || "admin",
      email: source["SLIPWAY_ADMIN_EMAIL"] || "admin@localhost",
      password: source["SLIPWAY_ADMIN_PASSWORD"] || undefined,
    },
    secretKeys: readSecretKeys(source, report),
    identity: {
      awsCertificates: readCertificates(source, "SLIPWAY_AWS_CERTIFICATES", report),
      azureCertificates: readCertificates(source, "SLIPWAY_AZURE_CERTIFICATES", report),
      googleKeysUrl:
        readUrl(source, "SLIPWAY_GOOGLE_KEYS_URL", webProtocols, report) ??
        "https://www.googleapis.com/oauth2/v3/certs",
      googleIapKeysUrl:
        readUrl(source, "SLIPWAY_GOOGLE_IAP_KEYS_URL", webProtocols, report) ??
        "https://www.gstatic.com/iap/verify/public_key-jwk",
      googleAudience: source["SLIPWAY_GOOGLE_AUDIENCE"] || "coder",
    },
    ssh: readSshSettings(source, report),
    externalAuth: readExternalAuth(source, report),
    limits: readLimits(source, report),
    processDriver: {
      isEnabled:
        readChoice(source, "SLIPWAY_PROCESS_DRIVER", ["false", "true"], "false", report) === "true",
      uids: readUids(source, report),
    },
    downloads: {
      mode: readChoice(source, "SLIPWAY_DOWNLOADS", downloadModes, "on-request", report),
      directory: readDirectory(source["SLIPWAY_DOWNLOADS_DIR"]),
    },
    log: {
      level: readChoice(source, "SLIPWAY_LOG_LEVEL", logLevels, "info", report),
      format: readChoice(
        source,
        "SLIPWAY_LOG_FORMAT",
        ["pretty", "json"],
        isTerminal ? "pretty" : "json",
        report,
      ),
    },
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(settings);
}

const webProtocols = ["http:", "https:"] as const;

/** Returns a value for a message; never a secret. */
function foundText(name: string, value = ""): string {
  if (name === "SLIPWAY_SECRET_KEY") return "a shorter one";
  if (isProviderSecret(name) && value !== "") return "an unusable one";
  return `"${redact(value)}"`;
}

/** Removes the password from an address. */
function redact(text = ""): string {
  return text.replace(/^(.*\/\/)?.*@/, "$1***@");
}

type Report = (name: string, wanted: string) => undefined;

function readListenAddress(source: SettingSource, report: Report): ListenAddress {
  const name = "SLIPWAY_HTTP_ADDRESS";
  const address = parseListenAddress(source[name] || "127.0.0.1:3000");
  if (address !== undefined) return address;
  report(name, "an address and a port, such as 127.0.0.1:3000");
  return { host: "127.0.0.1", port: 3000 };
}

/**
 * Reads the address of STUN, which is by default that of the listener, if clients reach it there and not through a proxy:
 * a port that UDP does not reach makes them wait.
 */
function readStun(
  source: SettingSource,
  { listen, accessUrl }: Pick<Settings, "listen" | "accessUrl">,
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
function readRelayUrl(source: SettingSource, report: Report): string | undefined {
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

function readDataDir(source: SettingSource): string {
  const given = source["SLIPWAY_DATA_DIR"];
  if (given !== undefined && given !== "") return resolve(given);
  if (process.getuid?.() === 0) return "/var/lib/slipway";
  return join(source["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "slipway");
}

function readDirectory(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : resolve(text);
}

function readUrl(
  source: SettingSource,
  name: string,
  protocols: readonly string[],
  report: Report,
): string | undefined {
  const text = source[name];
  if (text === undefined || text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && protocols.includes(url.protocol)) return text;
  return report(name, `a URL that begins with ${protocols.map((p) => `${p}//`).join(" or ")}`);
}

function readWildcardAccessUrl(
  source: SettingSource,
  report: Report,
): WildcardAccessUrl | undefined {
  const name = "SLIPWAY_WILDCARD_ACCESS_URL";
  const text = source[name];
  if (text === undefined || text === "") return undefined;
  const wanted = "a host that begins with *, such as *.apps.example.com or *-apps.example.com";
  return parseWildcardAccessUrl(text) ?? report(name, wanted);
}

/** Reads the address, with the password from libpq's variable unless the address contains one. */
function readPostgresUrl(source: SettingSource, report: Report): string | undefined {
  const text = readUrl(source, "SLIPWAY_POSTGRES_URL", ["postgres:", "postgresql:"], report);
  const password = source["PGPASSWORD"];
  if (text === undefined || password === undefined || password === "") return text;
  const url = new URL(text);
  if (url.password !== "" || url.searchParams.has("password")) return text;
  return `${text}${url.search === "" ? "?" : "&"}password=${encodeURIComponent(password)}`;
}

function readProxies(source: SettingSource, report: Report): readonly string[] {
  const name = "SLIPWAY_TRUSTED_PROXIES";
  const text = source[name];
  if (text === undefined || text === "") return [];
  const proxies = parseTrustedProxies(text);
  if (proxies === undefined) {
    report(name, "addresses and networks such as 10.0.0.0/8, separated by commas");
  }
  return proxies ?? [];
}

function readCertificates(
  source: SettingSource,
  name: string,
  report: Report,
): readonly X509Certificate[] {
  const path = source[name];
  if (path === undefined || path === "") return [];
  const read = readCertificateFile(resolve(path));
  if (typeof read !== "string") return read;
  report(name, `a file of certificates in PEM (${read})`);
  return [];
}

/** Above the users that systems create, outside systemd's own ranges, below the 65,536 that many containers have. */
const defaultUids = { first: 60_578, last: 61_183 };
/** The highest uid: the next one stands for no user. */
const maxUid = 4_294_967_294;

function readUids(source: SettingSource, report: Report): { first: number; last: number } {
  const name = "SLIPWAY_PROCESS_UIDS";
  const text = source[name];
  if (text === undefined || text === "") return defaultUids;
  const [first = 0, last = 0] = (/^(\d{1,10})-(\d{1,10})$/.exec(text)?.slice(1) ?? []).map(Number);
  if (first >= 1 && first <= last && last <= maxUid) return { first, last };
  report(name, `a range of numbers of users, such as ${defaultUids.first}-${defaultUids.last}`);
  return defaultUids;
}

/** The minimum length of a secret key, in characters. */
const minSecretKeyLength = 32;

function readSecretKeys(source: SettingSource, report: Report): readonly string[] | undefined {
  const name = "SLIPWAY_SECRET_KEY";
  const text = source[name];
  if (text === undefined || text === "") return undefined;
  const keys = text.split(",").map((key) => key.trim());
  if (keys.every((key) => key.length >= minSecretKeyLength)) return keys;
  report(name, `keys of at least ${minSecretKeyLength} characters, separated by commas`);
  return undefined;
}

function readLimits(source: SettingSource, report: Report): Limits {
  return mapLimits((limit) => {
    const name = limitVariable(limit);
    const text = source[name];
    if (text === undefined || text === "") return defaultLimits[limit];
    const value = parseLimit(limit, text);
    if (value === undefined) report(name, limitRange(limit));
    return value ?? defaultLimits[limit];
  });
}

function readChoice<const C extends string>(
  source: SettingSource,
  name: string,
  choices: readonly C[],
  fallback: C,
  report: Report,
): C {
  const text = source[name];
  if (text === undefined || text === "") return fallback;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) report(name, `one of ${choices.join(", ")}`);
  return choice ?? fallback;
}
