import { defineCommand } from "../../command/definition.ts";

export const command = defineCommand({
  name: "agent",
  summary: "run the agent of a workspace, inside it",
  arguments: {},
  flags: {
    auth: {
      kind: "text",
      value: "method",
      variable: "CODER_AGENT_AUTH",
      summary:
        "how the agent proves who it is: aws-, azure- or google-instance-identity; token unless given",
    },
    agentUrl: {
      kind: "text",
      value: "url",
      variable: "CODER_AGENT_URL",
      summary: "address of the server",
    },
    agentToken: {
      kind: "text",
      value: "token",
      variable: "CODER_AGENT_TOKEN",
      summary: "the agent's token",
    },
    agentTokenFile: {
      kind: "text",
      value: "file",
      variable: "CODER_AGENT_TOKEN_FILE",
      summary: "file with the agent's token",
    },
    agentName: {
      kind: "text",
      value: "name",
      variable: "CODER_AGENT_NAME",
      summary: "which agent of the instance this is, where it has several",
    },
    agentHeader: {
      kind: "text",
      value: "key=value",
      variable: "CODER_AGENT_HEADER",
      summary: "header for every request",
    },
    logDir: {
      kind: "text",
      value: "directory",
      variable: "CODER_AGENT_LOG_DIR",
      summary: "where the log files go",
    },
    scriptDataDir: {
      kind: "text",
      value: "directory",
      variable: "CODER_AGENT_SCRIPT_DATA_DIR",
      summary: "where scripts keep what they install",
    },
    logHuman: {
      kind: "text",
      value: "file",
      variable: "CODER_AGENT_LOGGING_HUMAN",
      summary: "log for people; /dev/stderr unless given",
    },
    logJson: {
      kind: "text",
      value: "file",
      variable: "CODER_AGENT_LOGGING_JSON",
      summary: "log for programs",
    },
    sshMaxTimeout: {
      kind: "text",
      value: "duration",
      variable: "CODER_AGENT_SSH_MAX_TIMEOUT",
      summary: "longest idle SSH session; 72h unless given",
    },
    tailnetListenPort: {
      kind: "text",
      value: "port",
      variable: "CODER_AGENT_TAILNET_LISTEN_PORT",
      summary: "UDP port of the encrypted network",
    },
    blockFileTransfer: {
      kind: "text",
      value: "true|false",
      variable: "CODER_AGENT_BLOCK_FILE_TRANSFER",
      summary: "refuse scp, sftp and rsync",
    },
  },
  examples: [
    {
      line: "slipway agent --agent-url https://slipway.example.com --agent-token <token>",
      summary: "connect this machine",
    },
  ],
});
