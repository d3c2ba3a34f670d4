import { isAbsolute, join, resolve } from "node:path";

import type { IdentitySettings } from "@slipway/identity";
import { homeDirectory } from "@slipway/runtime/home-directory";

import {
  type ListenAddress,
  readListenAddress,
  readPostgresUrl,
  readProxies,
  readRelayUrl,
  readStun,
  readWildcardAccessUrl,
  type StunSettings,
} from "./address-settings.ts";
import { type ClusterSettings, readClusters } from "./cluster-settings.ts";
import { type DockerSettings, readDockerSettings } from "./docker-settings.ts";
import {
  type ExternalAuthProvider,
  isProviderSecret,
  readExternalAuth,
} from "./external-auth-settings.ts";
import { readIdentitySettings } from "./identity-settings.ts";
import {
  defaultLimits,
  limitRange,
  type Limits,
  limitVariable,
  mapLimits,
  parseLimit,
} from "./limits.ts";
import { isLogInSecret, type LogInProvider, readLogInProviders } from "./login-settings.ts";
import { withSecretFiles } from "./secret-files.ts";
import {
  ConfigError,
  readChoice,
  readUrl,
  type Report,
  type SettingSource,
  webProtocols,
  withoutPassword,
} from "./setting-source.ts";
import { listVariables, type SettingVariable } from "./setting-variables.ts";
import { readSshSettings, type SshSettings } from "./ssh-settings.ts";
import { readTerraformSettings, type TerraformSettings } from "./terraform-settings.ts";
import { recordReads } from "./unknown-variables.ts";
import type { WildcardAccessUrl } from "./wildcard-access-url.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = "pretty" | "json";

export const pathAppsChoices = ["sandbox", "owner", "shared", "off"] as const;

/**
 * The handling of apps that are opened by a path, at the origin of the server's own pages and API:
 * - `sandbox`: for the owner of the workspace, and browsers isolate them from the origin.
 * - `owner`: for the owner of the workspace.
 * - `shared`: for all users that the app's sharing level allows.
 * - `off`: for no one.
 */
export type PathApps = (typeof pathAppsChoices)[number];

export const relayClientsChoices = ["peers", "anyone"] as const;

/** The clients for which the relay carries packets: those whose keys peers of the network have published, or anyone. */
export type RelayClients = (typeof relayClientsChoices)[number];

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
  /** On request, archives are made when first requested; otherwise all of them at the start, or none. */
  readonly mode: (typeof downloadModes)[number];
  /** A directory of ready archives, which are served as they are; undefined if the server makes them. */
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
  readonly relayClients: RelayClients;
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
  /** True if the server has the dashboard, if that has been built. */
  readonly hasDashboard: boolean;
  readonly processDriver: ProcessDriverSettings;
  readonly docker: DockerSettings;
  readonly terraform: TerraformSettings;
  readonly clusters: readonly ClusterSettings[];
  readonly downloads: DownloadSettings;
  readonly ssh: SshSettings;
  /** The providers that users may link to their accounts, in the order of their numbers. */
  readonly externalAuth: readonly ExternalAuthProvider[];
  /** The providers at which users may log in, in the order of their numbers. */
  readonly logInProviders: readonly LogInProvider[];
  readonly limits: Limits;
  /** True if the tools of the MCP server also have the names of those of a stock server. */
  readonly hasStockMcpNames: boolean;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Every variable that can be set, for owners to read. */
  readonly variables: readonly SettingVariable[];
}

/** Reads and checks every setting; throws `ConfigError` with all faults. */
export function readSettings(given: SettingSource, isTerminal: boolean): Settings {
  const { source: recorded, asked } = recordReads(given);
  let source = recorded;
  const problems: string[] = [];
  const report = (name: string, wanted: string): undefined => {
    problems.push(`${name} must be ${wanted}, found ${foundText(name, source[name])}`);
  };
  source = withSecretFiles(recorded, report);
  const listen = readListenAddress(source, report);
  const accessUrl = readUrl(source, "SLIPWAY_ACCESS_URL", webProtocols, report)?.replace(
    /\/+$/,
    "",
  );
  const settings: Settings = {
    listen,
    stun: readStun(source, { listen, accessUrl }, report),
    relayUrl: readRelayUrl(source, report),
    relayClients: readChoice(source, "SLIPWAY_RELAY_CLIENTS", relayClientsChoices, "peers", report),
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
    identity: readIdentitySettings(source, report),
    ssh: readSshSettings(source, report),
    externalAuth: readExternalAuth(source, report),
    logInProviders: readLogInProviders(source, report),
    limits: readLimits(source, report),
    hasStockMcpNames:
      readChoice(source, "SLIPWAY_MCP_STOCK_NAMES", ["false", "true"], "false", report) === "true",
    hasDashboard:
      readChoice(source, "SLIPWAY_DASHBOARD", ["true", "false"], "true", report) === "true",
    processDriver: {
      isEnabled:
        readChoice(source, "SLIPWAY_PROCESS_DRIVER", ["false", "true"], "false", report) === "true",
      uids: readUids(source, report),
    },
    docker: readDockerSettings(source, report),
    terraform: readTerraformSettings(source, report),
    clusters: readClusters(source, report),
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
    variables: listVariables(given, asked),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(settings);
}

/** Returns a value for a message; never a secret. */
function foundText(name: string, value = ""): string {
  if (name === "SLIPWAY_SECRET_KEY") return "a shorter one";
  if ((isProviderSecret(name) || isLogInSecret(name)) && value !== "") return "an unusable one";
  return `"${withoutPassword(value)}"`;
}

function readDataDir(source: SettingSource): string {
  const given = source["SLIPWAY_DATA_DIR"];
  if (given !== undefined && given !== "") return resolve(given);
  if (process.getuid?.() === 0) return "/var/lib/slipway";
  return join(dataHome(source), "slipway");
}

function dataHome(source: SettingSource): string {
  const given = source["XDG_DATA_HOME"] ?? "";
  // XDG's specification wants a relative path ignored.
  return isAbsolute(given) ? given : join(homeDirectory(source), ".local", "share");
}

function readDirectory(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : resolve(text);
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
