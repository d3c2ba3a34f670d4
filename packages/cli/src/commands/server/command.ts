import { limitDefinitions, type LimitName, limitVariable, mapLimits } from "@slipway/server/limits";

import { defineCommand } from "../../command/definition.ts";
import type { TextFlag } from "../../command/flags.ts";

export const command = defineCommand({
  name: "server",
  summary: "run a server",
  description:
    "Runs a server until it is interrupted: once to let what runs end, twice to end at once. " +
    "Without --postgres-url it brings its own database.",
  arguments: {},
  flags: {
    httpAddress: {
      kind: "text",
      value: "host:port",
      variable: "SLIPWAY_HTTP_ADDRESS",
      summary: "where to listen; port 0 picks one; 127.0.0.1:3000 unless given",
    },
    accessUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_ACCESS_URL",
      summary: "how agents and browsers reach the server",
    },
    dataDir: {
      kind: "text",
      value: "directory",
      variable: "SLIPWAY_DATA_DIR",
      summary: "the database, keys and workspaces of this machine",
    },
    postgresUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_POSTGRES_URL",
      summary: "a PostgreSQL 15 or later instead of the built-in one",
    },
    trustedProxies: {
      kind: "text",
      value: "networks",
      variable: "SLIPWAY_TRUSTED_PROXIES",
      summary: "proxies whose X-Forwarded-For is believed, comma-separated; none unless given",
    },
    adminUsername: {
      kind: "text",
      value: "name",
      variable: "SLIPWAY_ADMIN_USERNAME",
      summary: "administrator made when there is no user; admin unless given",
    },
    adminEmail: {
      kind: "text",
      value: "email",
      variable: "SLIPWAY_ADMIN_EMAIL",
      summary: "the administrator's; admin@localhost unless given",
    },
    adminPassword: {
      kind: "text",
      value: "password",
      variable: "SLIPWAY_ADMIN_PASSWORD",
      summary: "the administrator's; made and printed once unless given",
    },
    processDriver: {
      kind: "switch",
      variable: "SLIPWAY_PROCESS_DRIVER",
      summary: "let templates of owners run workspaces on this machine; on with --demo",
    },
    processUids: {
      kind: "text",
      value: "first-last",
      variable: "SLIPWAY_PROCESS_UIDS",
      summary: "users of workspaces on this machine, by number (default: 60578-61183)",
    },
    secretKey: {
      kind: "text",
      value: "key",
      variable: "SLIPWAY_SECRET_KEY",
      summary: "encrypts secrets in the database; several, comma-separated, rotate it",
    },
    awsCertificates: {
      kind: "text",
      value: "file",
      variable: "SLIPWAY_AWS_CERTIFICATES",
      summary: "PEM file of more certificates of those who sign for AWS machines",
    },
    azureCertificates: {
      kind: "text",
      value: "file",
      variable: "SLIPWAY_AZURE_CERTIFICATES",
      summary: "PEM file of more roots and intermediates of those who sign for Azure machines",
    },
    googleKeysUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_GOOGLE_KEYS_URL",
      summary: "where the keys that sign for Google machines are; Google's unless given",
    },
    googleIapKeysUrl: {
      kind: "text",
      value: "url",
      variable: "SLIPWAY_GOOGLE_IAP_KEYS_URL",
      summary: "the same for signatures with ES256; Google's unless given",
    },
    googleAudience: {
      kind: "text",
      value: "name",
      variable: "SLIPWAY_GOOGLE_AUDIENCE",
      summary: "audience of the tokens that Google machines show (default: coder)",
    },
    logLevel: {
      kind: "text",
      value: "level",
      variable: "SLIPWAY_LOG_LEVEL",
      summary: "debug, info, warn or error; info unless given",
    },
    logFormat: {
      kind: "text",
      value: "format",
      variable: "SLIPWAY_LOG_FORMAT",
      summary: "pretty or json; pretty on a terminal",
    },
    ...mapLimits(limitFlag),
    demo: { kind: "switch", summary: "a template and a workspace to look at; what npm start does" },
  },
  examples: [
    { line: "slipway server --demo", summary: "try it out" },
    {
      line: "slipway server --http-address 0.0.0.0:80 --access-url https://slipway.example.com",
      summary: "for others",
    },
  ],
});

/** The flag of a limit, from the server's own table. */
function limitFlag(name: LimitName): TextFlag & { readonly variable: string } {
  const { summary, default: fallback, mayBeUnlimited } = limitDefinitions[name];
  return {
    kind: "text",
    value: "number",
    variable: limitVariable(name),
    summary: `${summary}${mayBeUnlimited ? ', or "unlimited"' : ""} (default: ${fallback})`,
  };
}
