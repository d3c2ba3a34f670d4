import type { ResponseOf } from "@slipway/api/contract/route";
import type { getHealthReport } from "@slipway/api/deployment/routes";
import type { ProvisionerDaemon } from "@slipway/api/jobs/provisioner";

export type Severity = "ok" | "warning" | "error";

/** The result of one check: what was found, and what to do unless it is fine. */
export interface Check {
  readonly name: string;
  /** The purpose of what is checked. */
  readonly meaning: string;
  readonly severity: Severity;
  readonly found: string;
  readonly advice: string | undefined;
}

/** A request that this browser made: its duration, or why it failed. */
export type Probe = { readonly ms: number } | { readonly failure: string };

type Report = ResponseOf<typeof getHealthReport>;

/** Judges what the server says of its database, its own address and provisioners. `origin` is the address of this page. */
export function reportChecks(report: Report, origin: string): readonly Check[] {
  const { database, access_url: access, provisioner_daemons: provisioners } = report;
  return [
    {
      name: "Database",
      meaning: "Stores all data.",
      severity: database.severity,
      found: foundOf(database) ?? `Answers in ${database.latency_ms} ms.`,
      advice: databaseAdvice(database),
    },
    {
      name: "Access URL",
      meaning: "The address at which agents and browsers reach the server.",
      severity: access.severity,
      found: foundOf(access) ?? `Requests to ${access.access_url} reach this deployment.`,
      advice:
        access.severity === "ok"
          ? originAdvice(access.access_url, origin)
          : "Set SLIPWAY_ACCESS_URL to an address that this machine itself can reach, and check its DNS entry, certificate and proxy.",
    },
    {
      name: "Provisioners",
      meaning: "Carry out the jobs of templates with tags.",
      severity: provisioners.severity,
      found: foundOf(provisioners) ?? provisionersFound(provisioners),
      advice: provisionerAdvice(provisioners),
    },
  ];
}

function provisionersFound({ online }: Report["provisioner_daemons"]): string {
  if (online === 0) return "None is connected, and no job waits for one.";
  return `${online === 1 ? "1 is" : `${online} are`} online, at the server’s version.`;
}

function provisionerAdvice({ error, warnings }: Report["provisioner_daemons"]): string | undefined {
  if (error !== undefined) return "Check the database first.";
  const codes = new Set(warnings.map(({ code }) => code));
  const advice = [
    ...(codes.has("EPD01")
      ? ["Start a provisioner with a key that has these tags, or cancel the jobs."]
      : []),
    ...(codes.has("EPD02")
      ? [
          "Install the server’s version of slipway on the machines of the others, and start them again.",
        ]
      : []),
  ];
  return advice.length === 0 ? undefined : advice.join(" ");
}

interface Section {
  readonly error?: string;
  readonly warnings: readonly { readonly message: string }[];
}

/** Returns what a check has found, as sentences; undefined if nothing is wrong. */
function foundOf({ error, warnings }: Section): string | undefined {
  const messages = error === undefined ? warnings.map(({ message }) => message) : [error];
  return messages.length === 0 ? undefined : messages.map(sentence).join(" ");
}

/** Returns a message of the server as a sentence. */
function sentence(message: string): string {
  const end = /[.!?]$/.test(message) ? "" : ".";
  return `${message.slice(0, 1).toUpperCase()}${message.slice(1)}${end}`;
}

function databaseAdvice({ severity, reachable }: Report["database"]): string | undefined {
  if (severity === "ok") return undefined;
  return reachable
    ? "Check the load of the database machine and the network to it."
    : "Check that PostgreSQL runs and that SLIPWAY_POSTGRES_URL is right; the built-in database logs to postgres.log in the data directory.";
}

function originAdvice(accessUrl: string, origin: string): string | undefined {
  if (accessUrl === origin) return undefined;
  return `You opened ${origin}, but links from the server lead to ${accessUrl}.`;
}

/** Judges a WebSocket that this browser opened. */
export function socketCheck(probe: Probe): Check {
  const check = { name: "WebSocket", meaning: "Used by live lists, logs and terminals." };
  if ("ms" in probe) {
    const found = `This browser opened one in ${probe.ms} ms.`;
    return { ...check, severity: "ok", found, advice: undefined };
  }
  return {
    ...check,
    severity: "error",
    found: probe.failure,
    advice:
      "A proxy in between must allow WebSocket upgrades: see “TLS and proxies” in the guide to operations.",
  };
}

/** The latency from which the relay counts as slow, in milliseconds. */
const slowRelayMs = 300;

/** Judges a request of this browser to the relay. */
export function relayCheck(probe: Probe): Check {
  const check = {
    name: "Relay",
    meaning: "Carries connections to workspaces that cannot be reached directly.",
  };
  if (!("ms" in probe)) {
    return {
      ...check,
      severity: "error",
      found: probe.failure,
      advice: "A proxy in between must forward /derp unchanged and without buffering.",
    };
  }
  const isSlow = probe.ms > slowRelayMs;
  return {
    ...check,
    severity: isSlow ? "warning" : "ok",
    found: `Answered this browser in ${probe.ms} ms.`,
    advice: isSlow
      ? "Keystrokes in terminals take at least as long: use a replica nearby."
      : undefined,
  };
}

/** Judges the servers of the deployment: each carries out builds, and they should run one version. */
export function serversCheck(servers: readonly ProvisionerDaemon[], version: string): Check {
  const check = { name: "Servers", meaning: "Run builds and serve requests." };
  // The others are provisioners elsewhere, which have keys.
  const online = servers.filter(
    ({ status, key_name: key }) => status !== "offline" && key === "built-in",
  );
  const others = online.filter((server) => server.version !== version);
  if (online.length === 0) {
    return {
      ...check,
      severity: "error",
      found: "No server is ready for builds.",
      advice: "Builds wait in the queue. Look for errors in the logs of the servers.",
    };
  }
  const count = online.length === 1 ? "1 server is" : `${online.length} servers are`;
  if (others.length === 0) {
    return {
      ...check,
      severity: "ok",
      found: `${count} online, at ${version}.`,
      advice: undefined,
    };
  }
  const names = others.map((server) => `${server.name} (${server.version})`).join(", ");
  return {
    ...check,
    severity: "warning",
    found: `${count} online, and not all at ${version}: ${names}.`,
    advice: "Finish the upgrade: replicas should run different versions only for minutes.",
  };
}

/** Returns the worst severity. */
export function worstOf(checks: readonly Check[]): Severity {
  const found = new Set(checks.map(({ severity }) => severity));
  return (["error", "warning"] as const).find((level) => found.has(level)) ?? "ok";
}
