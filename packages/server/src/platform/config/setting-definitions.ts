/** A setting of the server besides its limits, as the help, the guide and the dashboard describe it. */
export interface SettingDefinition {
  /** The placeholder of its value in the help; absent for a setting that is on or off. */
  readonly value?: string;
  /** One phrase for the help of the command and for docs/configuration.md, without the default. */
  readonly summary: string;
  /** The value that applies if none is given, in words; absent if there is none. */
  readonly fallback?: string;
}

/**
 * The settings that an operator may give, each with a variable and a flag of its name: `httpAddress` is
 * `SLIPWAY_HTTP_ADDRESS` and `--http-address`. `npm run generate` writes its row in docs/configuration.md.
 */
const definitions = {
  httpAddress: {
    value: "host:port",
    summary: "address to listen on; port 0 picks a free one",
    fallback: "127.0.0.1:3000",
  },
  accessUrl: {
    value: "url",
    summary: "URL at which agents and browsers reach the server",
  },
  wildcardAccessUrl: {
    value: "host",
    summary: "hosts of workspace apps, such as *.apps.example.com",
    fallback: "no subdomain apps",
  },
  pathApps: {
    value: "choice",
    summary: "apps opened by a path: sandbox, owner, shared or off",
    fallback: "sandbox",
  },
  stunAddress: {
    value: "host:port",
    summary: "UDP address for STUN, or off",
    fallback: "the HTTP address if the access URL has its port",
  },
  relayUrl: {
    value: "url",
    summary: "URL at which other replicas reach this one's relay",
    fallback: "the HTTP address",
  },
  relayClients: {
    value: "choice",
    summary: "clients that the relay connects: peers or anyone",
    fallback: "peers",
  },
  dataDir: {
    value: "directory",
    summary: "directory for the database, keys and workspaces of this machine",
  },
  postgresUrl: {
    value: "url",
    summary: "PostgreSQL 15 or later to use instead of the built-in one",
  },
  trustedProxies: {
    value: "networks",
    summary: "proxies whose X-Forwarded-For is trusted, comma-separated",
    fallback: "none",
  },
  adminUsername: {
    value: "name",
    summary: "username of the administrator created if there are no users",
    fallback: "admin",
  },
  adminEmail: {
    value: "email",
    summary: "email address of the administrator created if there are no users",
    fallback: "admin@localhost",
  },
  adminPassword: {
    value: "password",
    summary: "password of the administrator created if there are no users",
    fallback: "generated and printed once",
  },
  dashboard: {
    value: "boolean",
    summary: "serve the dashboard: true or false",
    fallback: "true",
  },
  processDriver: {
    summary: "let owners' templates run workspaces on this machine; on with --demo",
  },
  processUids: {
    value: "first-last",
    summary: "user ids for workspaces on this machine",
    fallback: "60578-61183",
  },
  terraform: {
    value: "path",
    summary: "path of tofu or terraform, or off",
    fallback: "found on the PATH",
  },
  terraformConfig: {
    value: "path",
    summary: "configuration file of that program, such as for a mirror of providers",
  },
  terraformEnv: {
    value: "names",
    summary: "variables of the server that Terraform runs get, separated by commas",
    fallback: "none",
  },
  terraformUsers: {
    value: "own|server",
    summary: "user of Terraform runs if the server is root: own or server",
    fallback: "own",
  },
  dockerHost: {
    value: "host",
    summary: "Docker or Podman: unix:///path, tcp://host:port or off",
    fallback: "DOCKER_HOST or this machine's socket",
  },
  dockerCertPath: {
    value: "directory",
    summary: "directory of the TLS certificates for tcp://",
    fallback: "DOCKER_CERT_PATH",
  },
  dockerAllow: {
    value: "names",
    summary: "powers over the host that templates may ask for, such as devices,binds",
    fallback: "none",
  },
  dockerRuntimes: {
    value: "names",
    summary: "OCI runtimes that templates may choose, comma-separated",
    fallback: "runc,crun",
  },
  dockerNetwork: {
    value: "name",
    summary: "Docker network of containers",
    fallback: "one that the server creates",
  },
  dockerAccessUrl: {
    value: "url",
    summary: "URL at which containers reach the server",
    fallback: "the access URL, or their network",
  },
  dockerConfig: {
    value: "file",
    summary: "config.json of Docker with the credentials of registries",
    fallback: "none",
  },
  kubernetes: {
    value: "source",
    summary: "cluster for workspaces: path of a kubeconfig, in-cluster or off",
    fallback: "off",
  },
  kubernetesContext: {
    value: "name",
    summary: "context of the kubeconfig",
    fallback: "its current one",
  },
  kubernetesNamespace: {
    value: "name",
    summary: "namespace of the workspaces",
    fallback: "that of the context or of the server's pod",
  },
  kubernetesAllow: {
    value: "names",
    summary: "what templates may ask for: patches, runtime-classes, service-accounts",
    fallback: "none",
  },
  kubernetesAccessUrl: {
    value: "url",
    summary: "URL at which pods reach the server",
    fallback: "the access URL",
  },
  kubernetesAgentImage: {
    value: "image",
    summary: "image that brings the agent into pods",
    fallback: "busybox, which downloads it",
  },
  mcpStockNames: {
    summary: "give the tools of the MCP server the names coder_... as well",
  },
  secretKey: {
    value: "key",
    summary: "key that encrypts secrets in the database; several, comma-separated, to rotate it",
  },
  awsCertificates: {
    value: "file",
    summary: "PEM file of additional certificates that sign AWS instance identities",
  },
  azureCertificates: {
    value: "file",
    summary: "PEM file of additional roots and intermediates that sign Azure instance identities",
  },
  googleKeysUrl: {
    value: "url",
    summary: "URL of the keys that sign Google instance identities",
    fallback: "Google's",
  },
  googleIapKeysUrl: {
    value: "url",
    summary: "URL of the keys for ES256 signatures",
    fallback: "Google's",
  },
  googleAudience: {
    value: "name",
    summary: "audience of Google instance identity tokens",
    fallback: "coder",
  },
  downloads: {
    value: "when",
    summary: "when to make the downloads of the agent and the command: on-request, at-start or off",
    fallback: "on-request",
  },
  downloadsDir: {
    value: "directory",
    summary: "directory of ready downloads",
    fallback: "the server makes them",
  },
  sshHostnamePrefix: {
    value: "prefix",
    summary: "beginning of host names that config-ssh connects to workspaces",
    fallback: "coder.",
  },
  sshHostnameSuffix: {
    value: "suffix",
    summary: "end of host names that config-ssh connects to workspaces",
    fallback: "slipway",
  },
  sshConfigOptions: {
    value: "options",
    summary: "options of ssh for users' machines, comma-separated: ServerAliveInterval=30",
  },
  logLevel: {
    value: "level",
    summary: "debug, info, warn or error",
    fallback: "info",
  },
  logFormat: {
    value: "format",
    summary: "pretty or json",
    fallback: "pretty on a terminal",
  },
} as const satisfies Readonly<Record<string, SettingDefinition>>;

export type SettingName = keyof typeof definitions;

export const settingDefinitions: Readonly<Record<SettingName, SettingDefinition>> = definitions;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table
const settingNames = Object.keys(definitions) as readonly SettingName[];

/** Maps each setting to a value. */
export function mapSettings<T>(value: (name: SettingName) => T): Readonly<Record<SettingName, T>> {
  const entries = settingNames.map((name) => [name, value(name)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entry for each name
  return Object.fromEntries(entries) as Record<SettingName, T>;
}

/** Returns the environment variable of a setting or a limit. */
export function variableOf(name: string): string {
  return `SLIPWAY_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
