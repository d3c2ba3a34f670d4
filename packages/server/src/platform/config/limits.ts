import { maxFileBytes } from "@slipway/api/files/routes";

import { variableOf } from "./setting-definitions.ts";

/** A limit that the operator may set. */
interface LimitDefinition {
  readonly default: number;
  /** The smallest and the largest number accepted. */
  readonly min: number;
  readonly max: number;
  /** True if the word `unlimited` is accepted as well. */
  readonly mayBeUnlimited: boolean;
  /** One phrase for the help of the command and for docs/configuration.md, without the default. */
  readonly summary: string;
}

/**
 * The limits that an operator may set, each with a variable and a flag of its name: `maxStreamsPerUser` is
 * `SLIPWAY_MAX_STREAMS_PER_USER` and `--max-streams-per-user`. `npm run generate` writes its row in docs/configuration.md.
 */
const definitions = {
  // The lifetime of API tokens.
  maxTokenDays: {
    default: 36_525,
    min: 1,
    max: 36_525,
    mayBeUnlimited: false,
    summary: "days that an API token may live",
  },
  maxOwnerTokenDays: {
    default: 90,
    min: 1,
    max: 36_525,
    mayBeUnlimited: false,
    summary: "days that an API token of a user with the role owner may live",
  },
  // The lifetime of sessions.
  maxSessionDays: {
    default: 90,
    min: 1,
    max: 36_525,
    mayBeUnlimited: true,
    summary: "days after a login until its session ends, however much it is used",
  },
  maxIdleSessionHours: {
    default: 168,
    min: 2,
    max: 8_760,
    mayBeUnlimited: false,
    summary: "hours that a session may be unused; a browser's ends after 24 at the latest",
  },
  // The retention of records.
  maxAuditDays: {
    default: 365,
    min: 1,
    max: 36_525,
    mayBeUnlimited: true,
    summary: "days that an audit entry is kept",
  },
  maxBuildLogDays: {
    default: 90,
    min: 1,
    max: 36_525,
    mayBeUnlimited: true,
    summary: "days that the log of a build or an import is kept",
  },
  // Pods of the driver kubernetes.
  maxPodStartSeconds: {
    default: 600,
    min: 10,
    max: 86_400,
    mayBeUnlimited: false,
    summary: "seconds within which a pod must run before the build fails with the reason",
  },
  // The end of a server.
  maxDrainSeconds: {
    default: 0,
    min: 0,
    max: 3_600,
    mayBeUnlimited: false,
    summary:
      "seconds after SIGTERM for which a server still answers, while proxies turn to other replicas",
  },
  // Limits per user.
  maxWorkspacesPerUser: {
    default: 100,
    min: 0,
    max: 1_000_000,
    mayBeUnlimited: true,
    summary: "workspaces that one user may own",
  },
  maxRunningWorkspacesPerUser: {
    default: 30,
    min: 0,
    max: 1_000_000,
    mayBeUnlimited: true,
    summary: "workspaces that one user may have running at once",
  },
  maxPendingBuildsPerUser: {
    default: 10,
    min: 1,
    max: 1_000_000,
    mayBeUnlimited: true,
    summary: "builds that one user may have queued or running when they start another workspace",
  },
  maxDryRunsPerUser: {
    default: 5,
    min: 1,
    max: 1_000_000,
    mayBeUnlimited: true,
    summary: "dry runs of templates that one user may have queued or running",
  },
  maxTerraformRuns: {
    default: 4,
    min: 1,
    max: 1_000,
    mayBeUnlimited: false,
    summary: "Terraform configurations that one server carries out at once; others wait",
  },
  maxTerraformQuietMinutes: {
    default: 20,
    min: 1,
    max: 60,
    mayBeUnlimited: false,
    summary:
      "minutes without output after which OpenTofu or Terraform is interrupted, as a provider hangs",
  },
  maxTemplateVersionsPerDay: {
    default: 200,
    min: 1,
    max: 1_000_000,
    mayBeUnlimited: true,
    summary: "template versions that one user may push within 24 hours",
  },
  maxUnusedFileBytesPerUser: {
    default: 100 * 1024 * 1024,
    min: maxFileBytes,
    max: 1024 ** 4,
    mayBeUnlimited: true,
    summary: "bytes of files that one user may have uploaded and no template version uses",
  },
  maxStreamsPerUser: {
    default: 500,
    min: 1,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "streams that one user may have open on one server, across all their sessions",
  },
  maxWatchesPerUser: {
    default: 50,
    min: 1,
    max: 100_000,
    mayBeUnlimited: false,
    summary:
      "streams of changes of workspaces and agents that one user may have open on one server",
  },
  maxTerminalsPerUser: {
    default: 64,
    min: 0,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "terminals in workspaces that one user may have open on one server",
  },
  maxAppConnectionsPerUser: {
    default: 512,
    min: 1,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "requests to workspace apps that one user may have in progress on one server",
  },
  maxMcpCallsPerUser: {
    default: 32,
    min: 1,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "calls to the MCP server that one user may have under way on one server",
  },
  // Limits per agent.
  maxSubAgentsPerAgent: {
    default: 32,
    min: 0,
    max: 1_000,
    mayBeUnlimited: false,
    summary: "sub-agents, such as those of dev containers, that one agent may have at once",
  },
  // Limits per server.
  maxConnections: {
    default: 65_536,
    min: 16,
    max: 1_000_000,
    mayBeUnlimited: false,
    summary: "connections that may be open on one server",
  },
  maxConnectionsPerAddress: {
    default: 16_384,
    min: 8,
    max: 1_000_000,
    mayBeUnlimited: false,
    summary: "connections that one client address may have open on one server",
  },
  maxDatabaseConnections: {
    default: 20,
    min: 10,
    max: 180,
    mayBeUnlimited: false,
    summary: "connections that one server opens to PostgreSQL",
  },
  maxUnfinishedBytes: {
    default: 128 * 1024 * 1024,
    min: 16 * 1024 * 1024,
    max: 1024 ** 4,
    mayBeUnlimited: false,
    summary: "bytes of requests and messages that one server holds until the rest of them arrives",
  },
  maxAnonymousStreams: {
    default: 1_000,
    min: 0,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "streams that clients who have not logged in may have open on one server",
  },
  maxAnonymousStreamsPerAddress: {
    default: 100,
    min: 0,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "of those, streams that one client address may have open",
  },
  maxDownloads: {
    default: 256,
    min: 0,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "downloads of the agent and the command that one server sends at once",
  },
  maxDownloadsPerAddress: {
    default: 64,
    min: 0,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "of those, downloads by one client address",
  },
  maxAppConnections: {
    default: 8_192,
    min: 1,
    max: 1_000_000,
    mayBeUnlimited: false,
    summary: "requests to workspace apps that may be in progress on one server",
  },
  maxAppAnswerSeconds: {
    default: 120,
    min: 1,
    max: 86_400,
    mayBeUnlimited: false,
    summary: "seconds that a workspace app may take to begin its answer",
  },
  maxRelayClients: {
    default: 16_384,
    min: 0,
    max: 1_000_000,
    mayBeUnlimited: false,
    summary: "agents and clients that one server's relay may connect at once",
  },
  maxRelayClientsPerAddress: {
    default: 4_096,
    min: 0,
    max: 1_000_000,
    mayBeUnlimited: false,
    summary: "of those, agents and clients that one client address may have connected",
  },
  maxRelayStrangers: {
    default: 1_024,
    min: 1,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "of those, connections whose keys no peer has published yet",
  },
  maxRelayStrangersPerAddress: {
    default: 512,
    min: 1,
    max: 100_000,
    mayBeUnlimited: false,
    summary: "of those without a published key, connections of one client address",
  },
  maxRelayLogins: {
    default: 6_000,
    min: 60,
    max: 1_000_000,
    mayBeUnlimited: false,
    summary: "connections per minute that clients may open to one server's relay",
  },
  maxRelayLoginsPerAddress: {
    default: 1_200,
    min: 60,
    max: 1_000_000,
    mayBeUnlimited: false,
    summary: "connections per minute that one client address may open to one server's relay",
  },
  maxRelayBytesPerSecond: {
    default: 128 * 1024 * 1024,
    min: 65_536,
    max: 1024 ** 4,
    mayBeUnlimited: true,
    summary:
      "bytes per second that one agent or client may send through the relay, counting 256 for each packet and 2048 for each receiver",
  },
} as const satisfies Readonly<Record<`max${string}`, LimitDefinition>>;

export type LimitName = keyof typeof definitions;

/** The limits by name; `Infinity` is unlimited. */
export type Limits = Readonly<Record<LimitName, number>>;

export const limitDefinitions: Readonly<Record<LimitName, LimitDefinition>> = definitions;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of this object
export const limitNames = Object.keys(definitions) as readonly LimitName[];

export const defaultLimits: Limits = mapLimits((name) => definitions[name].default);

/** Returns the environment variable of a limit. */
export function limitVariable(name: LimitName): string {
  return variableOf(name);
}

/** Describes the accepted values of a limit: `a whole number from 1 to 100 or "unlimited"`. */
export function limitRange(name: LimitName): string {
  const { min, max, mayBeUnlimited } = limitDefinitions[name];
  return `a whole number from ${min} to ${max}${mayBeUnlimited ? ' or "unlimited"' : ""}`;
}

/** Parses a value of a limit; undefined if it is not accepted. */
export function parseLimit(name: LimitName, text: string): number | undefined {
  const { min, max, mayBeUnlimited } = limitDefinitions[name];
  if (text === "unlimited") return mayBeUnlimited ? Infinity : undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}

/** Maps each limit to a value. */
export function mapLimits<T>(value: (name: LimitName) => T): Readonly<Record<LimitName, T>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entry for each name
  return Object.fromEntries(limitNames.map((name) => [name, value(name)])) as Record<LimitName, T>;
}
