import { limitDefinitions, type LimitName, limitVariable, mapLimits } from "@slipway/server/limits";

import { defineCommand, type OptionsOf, variablesOf } from "../command/definition.ts";
import type { TextFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { packageDirectory } from "../config/own-package.ts";
import { findInstallation } from "./server/installation.ts";
import { limitHeap } from "./server/limit-heap.ts";
import { loadServer } from "./server/load-server.ts";

export const command = defineCommand({
  summary: "run a server",
  description:
    "Run a server until it is interrupted. The first interrupt shuts it down gracefully, the second one " +
    "immediately. Without --postgres-url, it runs the built-in PostgreSQL.",
  arguments: {},
  flags: {
    httpAddress: {
      kind: "text",
      value: "host:port",
      variable: "SLIPWAY_HTTP_ADDRESS",
      summary: "address to listen on; port 0 picks a free one (default: 127.0.0.1:3000)",
    },
    accessUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_ACCESS_URL",
      summary: "URL at which agents and browsers reach the server",
    },
    wildcardAccessUrl: {
      kind: "text",
      value: "host",
      variable: "SLIPWAY_WILDCARD_ACCESS_URL",
      summary: "hosts of workspace apps, such as *.apps.example.com (default: no subdomain apps)",
    },
    pathApps: {
      kind: "text",
      value: "choice",
      variable: "SLIPWAY_PATH_APPS",
      summary: "apps opened by a path: sandbox, owner, shared or off (default: sandbox)",
    },
    stunAddress: {
      kind: "text",
      value: "host:port",
      variable: "SLIPWAY_STUN_ADDRESS",
      summary:
        "UDP address for STUN, or off (default: the HTTP address if the access URL has its port)",
    },
    relayUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_RELAY_URL",
      summary: "URL at which other replicas reach this one's relay (default: the HTTP address)",
    },
    relayClients: {
      kind: "text",
      value: "choice",
      variable: "SLIPWAY_RELAY_CLIENTS",
      summary: "clients that the relay connects: peers or anyone (default: peers)",
    },
    dataDir: {
      kind: "text",
      value: "directory",
      variable: "SLIPWAY_DATA_DIR",
      summary: "directory for the database, keys and workspaces of this machine",
    },
    postgresUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_POSTGRES_URL",
      summary: "PostgreSQL 15 or later to use instead of the built-in one",
    },
    trustedProxies: {
      kind: "text",
      value: "networks",
      variable: "SLIPWAY_TRUSTED_PROXIES",
      summary: "proxies whose X-Forwarded-For is trusted, comma-separated (default: none)",
    },
    adminUsername: {
      kind: "text",
      value: "name",
      variable: "SLIPWAY_ADMIN_USERNAME",
      summary: "username of the administrator created if there are no users (default: admin)",
    },
    adminEmail: {
      kind: "text",
      value: "email",
      variable: "SLIPWAY_ADMIN_EMAIL",
      summary: "email address of that administrator (default: admin@localhost)",
    },
    adminPassword: {
      kind: "text",
      value: "password",
      variable: "SLIPWAY_ADMIN_PASSWORD",
      summary: "password of that administrator (default: generated and printed once)",
    },
    processDriver: {
      kind: "switch",
      variable: "SLIPWAY_PROCESS_DRIVER",
      summary: "let owners' templates run workspaces on this machine; on with --demo",
    },
    processUids: {
      kind: "text",
      value: "first-last",
      variable: "SLIPWAY_PROCESS_UIDS",
      summary: "user ids for workspaces on this machine (default: 60578-61183)",
    },
    dockerHost: {
      kind: "text",
      value: "host",
      variable: "SLIPWAY_DOCKER_HOST",
      summary:
        "Docker or Podman: unix:///path, tcp://host:port or off (default: DOCKER_HOST or this machine's socket)",
    },
    dockerCertPath: {
      kind: "text",
      value: "directory",
      variable: "SLIPWAY_DOCKER_CERT_PATH",
      summary: "directory of the TLS certificates for tcp:// (default: DOCKER_CERT_PATH)",
    },
    dockerAllow: {
      kind: "text",
      value: "names",
      variable: "SLIPWAY_DOCKER_ALLOW",
      summary:
        "powers over the host that templates may ask for, such as devices,binds (default: none)",
    },
    dockerRuntimes: {
      kind: "text",
      value: "names",
      variable: "SLIPWAY_DOCKER_RUNTIMES",
      summary: "OCI runtimes that templates may choose, comma-separated (default: runc,crun)",
    },
    dockerNetwork: {
      kind: "text",
      value: "name",
      variable: "SLIPWAY_DOCKER_NETWORK",
      summary: "Docker network of containers (default: one that the server creates)",
    },
    dockerAccessUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_DOCKER_ACCESS_URL",
      summary:
        "URL at which containers reach the server (default: the access URL, or their network)",
    },
    dockerConfig: {
      kind: "text",
      value: "file",
      variable: "SLIPWAY_DOCKER_CONFIG",
      summary: "config.json of Docker with the credentials of registries (default: none)",
    },
    mcpStockNames: {
      kind: "switch",
      variable: "SLIPWAY_MCP_STOCK_NAMES",
      summary: "give the tools of the MCP server the names coder_... as well",
    },
    secretKey: {
      kind: "text",
      value: "key",
      variable: "SLIPWAY_SECRET_KEY",
      summary: "key that encrypts secrets in the database; several, comma-separated, to rotate it",
    },
    awsCertificates: {
      kind: "text",
      value: "file",
      variable: "SLIPWAY_AWS_CERTIFICATES",
      summary: "PEM file of additional certificates that sign AWS instance identities",
    },
    azureCertificates: {
      kind: "text",
      value: "file",
      variable: "SLIPWAY_AZURE_CERTIFICATES",
      summary: "PEM file of additional roots and intermediates that sign Azure instance identities",
    },
    googleKeysUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_GOOGLE_KEYS_URL",
      summary: "URL of the keys that sign Google instance identities (default: Google's)",
    },
    googleIapKeysUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_GOOGLE_IAP_KEYS_URL",
      summary: "URL of the keys for ES256 signatures (default: Google's)",
    },
    googleAudience: {
      kind: "text",
      value: "name",
      variable: "SLIPWAY_GOOGLE_AUDIENCE",
      summary: "audience of Google instance identity tokens (default: coder)",
    },
    downloads: {
      kind: "text",
      value: "when",
      variable: "SLIPWAY_DOWNLOADS",
      summary:
        "when to make the downloads of the agent and the command: on-request, at-start or off (default: on-request)",
    },
    downloadsDir: {
      kind: "text",
      value: "directory",
      variable: "SLIPWAY_DOWNLOADS_DIR",
      summary: "directory of ready downloads (default: the server makes them)",
    },
    sshHostnamePrefix: {
      kind: "text",
      value: "prefix",
      variable: "SLIPWAY_SSH_HOSTNAME_PREFIX",
      summary: "beginning of host names that config-ssh connects to workspaces (default: coder.)",
    },
    sshHostnameSuffix: {
      kind: "text",
      value: "suffix",
      variable: "SLIPWAY_SSH_HOSTNAME_SUFFIX",
      summary: "end of host names that config-ssh connects to workspaces (default: slipway)",
    },
    sshConfigOptions: {
      kind: "text",
      value: "options",
      variable: "SLIPWAY_SSH_CONFIG_OPTIONS",
      summary: "options of ssh for users' machines, comma-separated: ServerAliveInterval=30",
    },
    logLevel: {
      kind: "text",
      value: "level",
      variable: "SLIPWAY_LOG_LEVEL",
      summary: "debug, info, warn or error (default: info)",
    },
    logFormat: {
      kind: "text",
      value: "format",
      variable: "SLIPWAY_LOG_FORMAT",
      summary: "pretty or json (default: pretty on a terminal)",
    },
    ...mapLimits(limitFlag),
    demo: { kind: "switch", summary: "create a demo template and workspace, as npm start does" },
  },
  examples: [
    { line: "slipway server --demo", summary: "try it out" },
    {
      line: "slipway server --http-address 0.0.0.0:80 --access-url https://slipway.example.com",
      summary: "serve other machines",
    },
  ],
});

/** Returns the flag of a limit, from the server's own table. */
function limitFlag(name: LimitName): TextFlag & { readonly variable: string } {
  const { summary, default: fallback, mayBeUnlimited } = limitDefinitions[name];
  return {
    kind: "text",
    value: "number",
    variable: limitVariable(name),
    summary: `${summary}${mayBeUnlimited ? ', or "unlimited"' : ""} (default: ${fallback})`,
  };
}

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, interruption }: Pick<Needs, "terminal" | "environment" | "interruption">,
): Promise<number> {
  const { runServer } = await loadServer();
  // Not before its modules are loaded: V8 accepts the compiled form of Node.js's own modules only with its usual
  // flags.
  limitHeap();
  return runServer({
    ...interruption,
    ...findInstallation(packageDirectory),
    flags: variablesOf(command, options),
    environment,
    demo: options.demo,
    stdout: (text) => terminal.out.write(text),
    stderr: (text) => terminal.err.write(text),
  });
}
