import { tmpdir } from "node:os";

import { type AgentAuth, readAuth } from "@slipway/sdk/agent";
import {
  type CertificateFile,
  type CertificateFiles,
  parseHeaders,
  RequestHeaderError,
  splitHeaders,
} from "@slipway/sdk/node";

import { type ContainerSettings, readContainerSettings } from "./container-settings.ts";
import { readFlag, readSshSettings, type SshSettings } from "./ssh-settings.ts";

/**
 * The version that the agent reports: the release of Coder whose agent API it implements, with ours as build metadata. A
 * stock server requires a semantic version with a leading `v`, and derives features from it (docs/protocol/agent.md §2.4).
 */
export const agentVersion = "v2.37.0+slipway.0.1.0";

/** The agent's configuration, from the environment and the flags (docs/protocol/agent.md §1.1). */
export interface AgentConfig {
  readonly serverUrl: string;
  readonly auth: AgentAuth;
  readonly headers: Readonly<Record<string, string>>;
  /** A command that runs once at the start; each line of its output is an additional header. */
  readonly headerCommand: string | undefined;
  /** The client certificate for a proxy in front of the server. */
  readonly certificateFiles: CertificateFiles;
  readonly logDir: string;
  /** The directory of the agent's files (default: the system's temporary directory). */
  readonly scriptDataDir: string | undefined;
  /** The destination of log lines for people and for programs; undefined for none. */
  readonly logHuman: string | undefined;
  readonly logJson: string | undefined;
  readonly subsystems: readonly Subsystem[];
  readonly ssh: SshSettings;
  /** Undefined for an agent that leaves containers alone. */
  readonly containers: ContainerSettings | undefined;
  /** The path of the socket for programs of the workspace; undefined without a socket. */
  readonly socketPath: string | undefined;
  /** The UDP port of direct paths; 0 for any. */
  readonly udpPort: number;
}

/** The runtime around the agent that announces itself in the environment. */
export type Subsystem = (typeof subsystems)[number];
const subsystems = ["envbox", "envbuilder", "exectrace"] as const;

export type Variables = Readonly<Record<string, string | undefined>>;

/** The settings are incomplete or malformed; `message` lists every fault. */
export class AgentConfigError extends Error {
  override readonly name = "AgentConfigError";
  readonly code = "config-invalid";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      faults.length === 1 ? String(faults[0]) : faults.map((fault) => `\n  - ${fault}`).join(""),
    );
    this.faults = faults;
  }
}

/**
 * Reads the settings. A flag, named like its variable, takes precedence over the environment. Throws `AgentConfigError` with
 * all faults.
 */
export function readAgentConfig(flags: Variables, environment: Variables): AgentConfig {
  const faults: string[] = [];
  const given = (name: string): string | undefined => flags[name] ?? environment[name];
  const text = (name: string): string | undefined => given(name) || undefined;
  const config: AgentConfig = {
    serverUrl: readServerUrl(text("CODER_AGENT_URL"), faults),
    auth: readAuth(text, faults),
    headers: readHeaders(text("CODER_AGENT_HEADER"), faults),
    headerCommand: text("CODER_AGENT_HEADER_COMMAND"),
    certificateFiles: {
      cert: certificateFile("CERT", text),
      key: certificateFile("KEY", text),
      ca: certificateFile("CA", text),
    },
    logDir: text("CODER_AGENT_LOG_DIR") ?? tmpdir(),
    scriptDataDir: text("CODER_AGENT_SCRIPT_DATA_DIR"),
    // A variable that is set but empty turns the log off.
    logHuman: (given("CODER_AGENT_LOGGING_HUMAN") ?? "/dev/stderr") || undefined,
    logJson: text("CODER_AGENT_LOGGING_JSON"),
    subsystems: readSubsystems(text("CODER_AGENT_SUBSYSTEM"), faults),
    ssh: readSshSettings(text, faults),
    containers: readContainerSettings(text, faults),
    socketPath: readSocketPath(text, faults),
    udpPort: readPort("CODER_AGENT_TAILNET_LISTEN_PORT", text, faults),
  };
  if (faults.length > 0) throw new AgentConfigError(faults);
  return config;
}

function readServerUrl(text: string | undefined, faults: string[]): string {
  if (text === undefined) {
    faults.push("CODER_AGENT_URL is not set, wanted the address of the server");
    return "";
  }
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    faults.push(`CODER_AGENT_URL is ${JSON.stringify(text)}, wanted http://… or https://…`);
    return "";
  }
  return text.replace(/\/+$/, "");
}

function readPort(
  name: string,
  text: (name: string) => string | undefined,
  faults: string[],
): number {
  const value = text(name) ?? "0";
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  faults.push(`${name} is ${JSON.stringify(value)}, wanted a port from 0 to 65535`);
  return 0;
}

/** The default path, the same for all agents of a machine (docs/protocol/agent.md §10). */
const defaultSocketPath = "/tmp/coder-agent.sock";

function readSocketPath(
  text: (name: string) => string | undefined,
  faults: string[],
): string | undefined {
  const name = "CODER_AGENT_SOCKET_SERVER_ENABLED";
  if (!readFlag(name, text(name) ?? "true", faults)) return undefined;
  return text("CODER_AGENT_SOCKET_PATH") ?? defaultSocketPath;
}

function readHeaders(text: string | undefined, faults: string[]): Readonly<Record<string, string>> {
  try {
    return parseHeaders(splitHeaders(text ?? ""), "CODER_AGENT_HEADER");
  } catch (error) {
    if (!(error instanceof RequestHeaderError)) throw error;
    faults.push(error.message);
    return {};
  }
}

/** Returns a file of the client certificate, named by the variable of either product. */
function certificateFile(
  what: "CERT" | "KEY" | "CA",
  text: (name: string) => string | undefined,
): CertificateFile | undefined {
  const names = [`CODER_CLIENT_TLS_${what}_FILE`, `SLIPWAY_CLIENT_TLS_${what}_FILE`];
  for (const setting of names) {
    const path = text(setting);
    if (path !== undefined) return { path, setting };
  }
  return undefined;
}

function readSubsystems(text: string | undefined, faults: string[]): readonly Subsystem[] {
  const found = new Set<Subsystem>();
  for (const name of text?.split(",").map((part) => part.trim()) ?? []) {
    const known = subsystems.find((subsystem) => subsystem === name);
    if (known !== undefined) found.add(known);
    else if (name !== "") {
      faults.push(
        `CODER_AGENT_SUBSYSTEM holds ${JSON.stringify(name)}, wanted ${subsystems.join(", ")}`,
      );
    }
  }
  return [...found];
}
