import { parseArgs } from "node:util";

import { errorText } from "@slipway/runtime";

import { type Variables, AgentConfigError } from "./agent-config.ts";

/** The flags of the stand-alone agent and the variables they stand for (docs/protocol/agent.md §1.1). */
const variables = {
  auth: "CODER_AGENT_AUTH",
  "agent-url": "CODER_AGENT_URL",
  "agent-token": "CODER_AGENT_TOKEN",
  "agent-token-file": "CODER_AGENT_TOKEN_FILE",
  "agent-name": "CODER_AGENT_NAME",
  "agent-header": "CODER_AGENT_HEADER",
  "agent-header-command": "CODER_AGENT_HEADER_COMMAND",
  "client-tls-cert-file": "CODER_CLIENT_TLS_CERT_FILE",
  "client-tls-key-file": "CODER_CLIENT_TLS_KEY_FILE",
  "client-tls-ca-file": "CODER_CLIENT_TLS_CA_FILE",
  "log-dir": "CODER_AGENT_LOG_DIR",
  "script-data-dir": "CODER_AGENT_SCRIPT_DATA_DIR",
  "log-human": "CODER_AGENT_LOGGING_HUMAN",
  "log-json": "CODER_AGENT_LOGGING_JSON",
  "ssh-max-timeout": "CODER_AGENT_SSH_MAX_TIMEOUT",
  "tailnet-listen-port": "CODER_AGENT_TAILNET_LISTEN_PORT",
  "block-file-transfer": "CODER_AGENT_BLOCK_FILE_TRANSFER",
  "devcontainers-enable": "CODER_AGENT_DEVCONTAINERS_ENABLE",
  "devcontainers-project-discovery-enable": "CODER_AGENT_DEVCONTAINERS_PROJECT_DISCOVERY_ENABLE",
  "devcontainers-discovery-autostart-enable":
    "CODER_AGENT_DEVCONTAINERS_DISCOVERY_AUTOSTART_ENABLE",
  "socket-path": "CODER_AGENT_SOCKET_PATH",
  "socket-server-enabled": "CODER_AGENT_SOCKET_SERVER_ENABLED",
} as const;

/** Reads arguments such as `--agent-url https://…` into variables. Throws `AgentConfigError` for unknown ones. */
export function readCommandLine(args: readonly string[]): Variables {
  const options = Object.fromEntries(
    Object.keys(variables).map((name) => [name, { type: "string" } as const]),
  );
  try {
    const { values } = parseArgs({ args: [...args], options });
    return Object.fromEntries(
      Object.entries(variables).map(([name, variable]) => [variable, values[name]]),
    );
  } catch (error) {
    throw new AgentConfigError([errorText(error)]);
  }
}

/** Returns the environment of this process. */
export function processEnvironment(): Variables {
  return process.env;
}
