import { defineCommand, type OptionsOf, variablesOf } from "../command/definition.ts";
import type { Interruption } from "../command/errors.ts";
import type { Needs } from "../command/needs.ts";
import { agentFlags } from "../resources/inside/agent-flags.ts";

export const command = defineCommand({
  summary: "run the agent inside a workspace",
  arguments: {},
  flags: {
    ...agentFlags,
    agentHeader: {
      kind: "text",
      value: "key=value",
      variable: "CODER_AGENT_HEADER",
      summary: "header to send with every request",
    },
    logDir: {
      kind: "text",
      value: "directory",
      variable: "CODER_AGENT_LOG_DIR",
      summary: "directory for log files",
    },
    scriptDataDir: {
      kind: "text",
      value: "directory",
      variable: "CODER_AGENT_SCRIPT_DATA_DIR",
      summary: "directory for files that scripts install",
    },
    logHuman: {
      kind: "text",
      value: "file",
      variable: "CODER_AGENT_LOGGING_HUMAN",
      summary: "file for the human-readable log (default: /dev/stderr)",
    },
    logJson: {
      kind: "text",
      value: "file",
      variable: "CODER_AGENT_LOGGING_JSON",
      summary: "file for the JSON log",
    },
    socketPath: {
      kind: "text",
      value: "path",
      variable: "CODER_AGENT_SOCKET_PATH",
      summary: "unix socket for programs of the workspace (default: /tmp/coder-agent.sock)",
    },
    socketServerEnabled: {
      kind: "text",
      value: "true|false",
      variable: "CODER_AGENT_SOCKET_SERVER_ENABLED",
      summary: "serve that socket (default: true)",
    },
    sshMaxTimeout: {
      kind: "text",
      value: "duration",
      variable: "CODER_AGENT_SSH_MAX_TIMEOUT",
      summary: "maximum idle time of an SSH session (default: 72h)",
    },
    tailnetListenPort: {
      kind: "text",
      value: "port",
      variable: "CODER_AGENT_TAILNET_LISTEN_PORT",
      summary: "UDP port for the encrypted network",
    },
    blockFileTransfer: {
      kind: "text",
      value: "true|false",
      variable: "CODER_AGENT_BLOCK_FILE_TRANSFER",
      summary: "refuse scp, sftp and rsync",
    },
    devcontainersEnable: {
      kind: "text",
      value: "true|false",
      variable: "CODER_AGENT_DEVCONTAINERS_ENABLE",
      summary:
        "list containers of this machine and run agents in its dev containers (default: true)",
    },
    devcontainersProjectDiscoveryEnable: {
      kind: "text",
      value: "true|false",
      variable: "CODER_AGENT_DEVCONTAINERS_PROJECT_DISCOVERY_ENABLE",
      summary: "look for dev containers in Git repositories (default: true)",
    },
    devcontainersDiscoveryAutostartEnable: {
      kind: "text",
      value: "true|false",
      variable: "CODER_AGENT_DEVCONTAINERS_DISCOVERY_AUTOSTART_ENABLE",
      summary: "start those dev containers that ask for it (default: false)",
    },
  },
  examples: [
    {
      line: "slipway agent --agent-url https://slipway.example.com --agent-token <token>",
      summary: "connect this machine",
    },
  ],
});

/** The parts of the agent's package in use here; flags have the names of its variables. */
interface AgentModule {
  readonly runAgent: (
    options: Interruption & {
      readonly flags: Readonly<Record<string, string | undefined>>;
      readonly environment: NodeJS.ProcessEnv;
    },
  ) => Promise<number>;
}

export async function run(
  options: OptionsOf<typeof command>,
  { environment, interruption, settings }: Pick<Needs, "environment" | "interruption" | "settings">,
): Promise<number> {
  const { cert, key, ca } = settings.certificateFiles;
  const { runAgent }: AgentModule = await import("@slipway/agent");
  const flags = {
    ...variablesOf(command, options),
    CODER_CLIENT_TLS_CERT_FILE: cert?.path,
    CODER_CLIENT_TLS_KEY_FILE: key?.path,
    CODER_CLIENT_TLS_CA_FILE: ca?.path,
  };
  return runAgent({ ...interruption, flags, environment });
}
