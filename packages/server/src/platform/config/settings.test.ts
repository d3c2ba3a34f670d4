import { homedir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { problemsOf } from "../../../tests/support/settings-problems.ts";
import { readDockerSettings } from "./docker-settings.ts";
import { defaultLimits, limitNames, limitVariable } from "./limits.ts";
import { readSettings } from "./settings.ts";
import { readTerraformSettings } from "./terraform-settings.ts";

const key = "k".repeat(32);
const google = {
  googleKeysUrl: "https://www.googleapis.com/oauth2/v3/certs",
  googleIapKeysUrl: "https://www.gstatic.com/iap/verify/public_key-jwk",
  googleAudience: "coder",
};

describe("readSettings", () => {
  it("needs nothing", () => {
    const { dataDir, ...settings } = readSettings({}, false);
    expect(settings).toEqual({
      // setting-variables.test.ts tests them.
      variables: expect.any(Array),
      listen: { host: "127.0.0.1", port: 3000 },
      stun: { host: "127.0.0.1", port: undefined, isRequired: false },
      relayClients: "peers",
      accessUrl: undefined,
      wildcardAccessUrl: undefined,
      pathApps: "sandbox",
      postgresUrl: undefined,
      trustedProxies: [],
      admin: { username: "admin", email: "admin@localhost", password: undefined },
      secretKeys: undefined,
      identity: { awsCertificates: [], azureCertificates: [], ...google },
      hasDashboard: true,
      processDriver: { isEnabled: false, uids: { first: 60_578, last: 61_183 } },
      docker: readDockerSettings({}, () => undefined),
      terraform: readTerraformSettings({}, () => undefined),
      clusters: [],
      externalAuth: [],
      logInProviders: [],
      downloads: { mode: "on-request", directory: undefined },
      ssh: { hostnamePrefix: "coder.", hostnameSuffix: "slipway", configOptions: {} },
      limits: defaultLimits,
      hasStockMcpNames: false,
      log: { level: "info", format: "json" },
    });
    expect(dataDir).toMatch(/^\/.*slipway$/);
  });

  it("takes an empty variable for one that is not set", () => {
    const names = [
      "SLIPWAY_HTTP_ADDRESS",
      "SLIPWAY_STUN_ADDRESS",
      "SLIPWAY_RELAY_URL",
      "SLIPWAY_ACCESS_URL",
      "SLIPWAY_WILDCARD_ACCESS_URL",
      "SLIPWAY_PATH_APPS",
      "SLIPWAY_DATA_DIR",
      "SLIPWAY_POSTGRES_URL",
      "SLIPWAY_TRUSTED_PROXIES",
      "SLIPWAY_ADMIN_USERNAME",
      "SLIPWAY_ADMIN_EMAIL",
      "SLIPWAY_ADMIN_PASSWORD",
      "SLIPWAY_SECRET_KEY",
      "SLIPWAY_AWS_CERTIFICATES",
      "SLIPWAY_AZURE_CERTIFICATES",
      "SLIPWAY_GOOGLE_KEYS_URL",
      "SLIPWAY_GOOGLE_IAP_KEYS_URL",
      "SLIPWAY_PROCESS_DRIVER",
      "SLIPWAY_PROCESS_UIDS",
      "SLIPWAY_DOWNLOADS",
      "SLIPWAY_DOWNLOADS_DIR",
      "SLIPWAY_SSH_HOSTNAME_PREFIX",
      "SLIPWAY_SSH_HOSTNAME_SUFFIX",
      "SLIPWAY_SSH_CONFIG_OPTIONS",
      "SLIPWAY_LOG_LEVEL",
      "SLIPWAY_LOG_FORMAT",
      ...limitNames.map(limitVariable),
    ];
    const empty = Object.fromEntries(names.map((name) => [name, ""]));
    expect(readSettings(empty, true)).toEqual(readSettings({}, true));
  });

  it.each([
    ["https://slipway.example", undefined],
    ["http://slipway.example:3000", "127.0.0.1"],
    ["http://slipway.example:8080", undefined],
  ])("offers STUN at %s only if that is the listener", (accessUrl, host) => {
    const { stun } = readSettings({ SLIPWAY_ACCESS_URL: accessUrl }, false);
    expect(stun?.host).toBe(host);
    const off = { SLIPWAY_ACCESS_URL: accessUrl, SLIPWAY_STUN_ADDRESS: "off" };
    expect(readSettings(off, false).stun).toBeUndefined();
  });

  it("reads every variable", () => {
    const settings = readSettings(
      {
        SLIPWAY_HTTP_ADDRESS: "[::1]:0",
        SLIPWAY_STUN_ADDRESS: "0.0.0.0:3478",
        SLIPWAY_RELAY_URL: "https://10.0.0.5:3443/",
        SLIPWAY_RELAY_CLIENTS: "anyone",
        SLIPWAY_ACCESS_URL: "https://slipway.example//",
        SLIPWAY_WILDCARD_ACCESS_URL: "*.Apps.slipway.example:8443",
        SLIPWAY_PATH_APPS: "owner",
        SLIPWAY_MCP_STOCK_NAMES: "true",
        SLIPWAY_DATA_DIR: "/srv/slipway/",
        SLIPWAY_POSTGRES_URL: "postgres://user@host/db",
        SLIPWAY_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
        SLIPWAY_ADMIN_USERNAME: "ann",
        SLIPWAY_ADMIN_EMAIL: "ann@example.com",
        SLIPWAY_ADMIN_PASSWORD: "secret",
        SLIPWAY_SECRET_KEY: `${key}, ${key}2`,
        SLIPWAY_GOOGLE_KEYS_URL: "http://proxy/keys",
        SLIPWAY_GOOGLE_IAP_KEYS_URL: "http://proxy/iap",
        SLIPWAY_GOOGLE_AUDIENCE: "slipway",
        SLIPWAY_DASHBOARD: "false",
        SLIPWAY_PROCESS_DRIVER: "true",
        SLIPWAY_PROCESS_UIDS: "7000-7099",
        SLIPWAY_SSH_HOSTNAME_PREFIX: "ws-",
        SLIPWAY_SSH_HOSTNAME_SUFFIX: "ws.example.com",
        SLIPWAY_SSH_CONFIG_OPTIONS: "ServerAliveInterval=30, SetEnv = A=1",
        SLIPWAY_MAX_STREAMS_PER_USER: "7",
        SLIPWAY_DOWNLOADS: "at-start",
        SLIPWAY_DOWNLOADS_DIR: "/srv/downloads/",
        SLIPWAY_LOG_LEVEL: "debug",
        SLIPWAY_LOG_FORMAT: "json",
      },
      true,
    );
    expect(settings).toEqual({
      // setting-variables.test.ts tests them.
      variables: expect.any(Array),
      listen: { host: "::1", port: 0 },
      stun: { host: "0.0.0.0", port: 3478, isRequired: true },
      relayUrl: "https://10.0.0.5:3443",
      relayClients: "anyone",
      accessUrl: "https://slipway.example",
      wildcardAccessUrl: { suffix: ".apps.slipway.example", port: 8443 },
      pathApps: "owner",
      dataDir: "/srv/slipway",
      postgresUrl: "postgres://user@host/db",
      trustedProxies: ["10.0.0.0/8", "::1"],
      admin: { username: "ann", email: "ann@example.com", password: "secret" },
      secretKeys: [key, `${key}2`],
      identity: {
        awsCertificates: [],
        azureCertificates: [],
        googleKeysUrl: "http://proxy/keys",
        googleIapKeysUrl: "http://proxy/iap",
        googleAudience: "slipway",
      },
      hasDashboard: false,
      processDriver: { isEnabled: true, uids: { first: 7_000, last: 7_099 } },
      docker: readDockerSettings({}, () => undefined),
      terraform: readTerraformSettings({}, () => undefined),
      clusters: [],
      externalAuth: [],
      logInProviders: [],
      downloads: { mode: "at-start", directory: "/srv/downloads" },
      ssh: {
        hostnamePrefix: "ws-",
        hostnameSuffix: "ws.example.com",
        configOptions: { ServerAliveInterval: "30", SetEnv: "A=1" },
      },
      limits: { ...defaultLimits, maxStreamsPerUser: 7 },
      hasStockMcpNames: true,
      log: { level: "debug", format: "json" },
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it.each([
    ["postgres://u@h/db", "postgres://u@h/db?password=a%26b"],
    ["postgres:///db?host=/run", "postgres:///db?host=/run&password=a%26b"],
    ["postgres://u@/db?host=/run", "postgres://u@localhost/db?host=/run&password=a%26b"],
    ["postgresql://u:p@/db?host=/run", "postgresql://u:p@localhost/db?host=/run"],
    ["postgres://u:p@h/db", "postgres://u:p@h/db"],
  ])("takes the password of %s from PGPASSWORD, unless it has one", (url, wanted) => {
    const settings = readSettings({ SLIPWAY_POSTGRES_URL: url, PGPASSWORD: "a&b" }, false);
    expect(settings.postgresUrl).toBe(wanted);
  });

  it.each(["10.0.0.5:3000", "ws://10.0.0.5", "http://user@10.0.0.5", "http://10.0.0.5/derp"])(
    "does not take %s for the URL of its relay",
    (url) => {
      expect(problemsOf({ SLIPWAY_RELAY_URL: url })).toEqual([
        expect.stringMatching(/^SLIPWAY_RELAY_URL must be a URL /),
      ]);
    },
  );

  it.each([
    ["SLIPWAY_SSH_HOSTNAME_PREFIX", "*"],
    ["SLIPWAY_SSH_HOSTNAME_SUFFIX", ".slipway"],
    ["SLIPWAY_SSH_HOSTNAME_SUFFIX", "a b"],
    ["SLIPWAY_SSH_CONFIG_OPTIONS", "ProxyCommand=sh"],
    ["SLIPWAY_SSH_CONFIG_OPTIONS", "Compression=yes\nLocalCommand=sh"],
    ["SLIPWAY_SSH_CONFIG_OPTIONS", "Compression"],
  ])("refuses %s of %j", (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(`^${name} must be`)]);
  });

  it.each([
    ["0.0.0.0:80", "0.0.0.0", 80],
    [":8080", "0.0.0.0", 8080],
    ["[::]:65535", "::", 65_535],
    ["localhost:1", "localhost", 1],
  ])("listens at %s", (address, host, port) => {
    const { listen } = readSettings({ SLIPWAY_HTTP_ADDRESS: address }, false);
    expect(listen).toEqual({ host, port });
  });

  it.each(["127.0.0.1", "127.0.0.1:65536", "::1:3000", "host:port", "http://host:1"])(
    "does not listen at %s",
    (address) => {
      expect(problemsOf({ SLIPWAY_HTTP_ADDRESS: address })).toEqual([
        `SLIPWAY_HTTP_ADDRESS must be an address and a port, such as 127.0.0.1:3000, found "${address}"`,
      ]);
    },
  );

  it("logs for a person at a terminal and for a machine elsewhere", () => {
    expect(readSettings({}, true).log.format).toBe("pretty");
    expect(readSettings({}, false).log.format).toBe("json");
  });

  it("keeps its data where the system keeps data, unless told otherwise", () => {
    const isRoot = process.getuid?.() === 0;
    const { dataDir } = readSettings({ XDG_DATA_HOME: "/data" }, false);
    expect(dataDir).toBe(isRoot ? "/var/lib/slipway" : "/data/slipway");
    const home = join(homedir(), ".local/share/slipway");
    expect(readSettings({}, false).dataDir).toBe(isRoot ? "/var/lib/slipway" : home);
    const relative = readSettings({ SLIPWAY_DATA_DIR: "data" }, false).dataDir;
    expect(relative).toBe(join(process.cwd(), "data"));
  });

  it("says all that is wrong at once, without a secret", () => {
    const source = {
      SLIPWAY_HTTP_ADDRESS: "nowhere",
      SLIPWAY_ACCESS_URL: "slipway.example",
      SLIPWAY_WILDCARD_ACCESS_URL: "https://*.slipway.example",
      SLIPWAY_PATH_APPS: "everyone",
      SLIPWAY_POSTGRES_URL: "mysql://user:pass@word@host/db",
      SLIPWAY_SECRET_KEY: `${key},short-secret`,
      SLIPWAY_MAX_STREAMS_PER_USER: "0",
      SLIPWAY_DASHBOARD: "no",
      SLIPWAY_PROCESS_DRIVER: "yes",
      SLIPWAY_PROCESS_UIDS: "0-99",
      SLIPWAY_LOG_LEVEL: "loud",
      SLIPWAY_LOG_FORMAT: "xml",
    };
    const problems = problemsOf(source);
    expect(problems).toEqual([
      'SLIPWAY_HTTP_ADDRESS must be an address and a port, such as 127.0.0.1:3000, found "nowhere"',
      'SLIPWAY_ACCESS_URL must be a URL that begins with http:// or https://, found "slipway.example"',
      'SLIPWAY_WILDCARD_ACCESS_URL must be a host that begins with *, such as *.apps.example.com or *-apps.example.com, found "https://*.slipway.example"',
      'SLIPWAY_PATH_APPS must be one of sandbox, owner, shared, off, found "everyone"',
      'SLIPWAY_POSTGRES_URL must be a URL that begins with postgres:// or postgresql://, found "mysql://***@host/db"',
      "SLIPWAY_SECRET_KEY must be keys of at least 32 characters, separated by commas, found a shorter one",
      'SLIPWAY_MAX_STREAMS_PER_USER must be a whole number from 1 to 100000, found "0"',
      'SLIPWAY_DASHBOARD must be one of true, false, found "no"',
      'SLIPWAY_PROCESS_DRIVER must be one of false, true, found "yes"',
      'SLIPWAY_PROCESS_UIDS must be a range of numbers of users, such as 60578-61183, found "0-99"',
      'SLIPWAY_LOG_LEVEL must be one of debug, info, warn, error, found "loud"',
      'SLIPWAY_LOG_FORMAT must be one of pretty, json, found "xml"',
    ]);
    expect(() => readSettings(source, false)).toThrow(problems.join("\n"));
  });
});
