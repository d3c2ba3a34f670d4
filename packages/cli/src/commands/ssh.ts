import { defineCommand } from "../command/definition.ts";
import { agentArgument } from "../resources/network/agent-reference.ts";
import {
  disableAutostartFlag,
  disableDirectFlag,
  scriptWaitFlag,
} from "../resources/network/network-flags.ts";

export const command = defineCommand({
  summary: "open a shell in a workspace, or run a command there",
  description:
    "Open a shell in a workspace, or run a command there, and exit with its exit code. Write -- before a command " +
    "with flags. A stopped workspace is started. With a terminal, ~. at the beginning of a line disconnects.",
  arguments: {
    workspace: agentArgument,
    command: { summary: "command to run (default: a shell)", required: false, variadic: true },
  },
  flags: {
    tty: {
      kind: "switch",
      short: "t",
      variable: "CODER_SSH_TTY",
      summary: "give a command a terminal too",
    },
    stdio: {
      kind: "switch",
      variable: "CODER_SSH_STDIO",
      summary: "speak SSH on stdin and stdout, for OpenSSH's ProxyCommand",
    },
    forwardAgent: {
      kind: "switch",
      short: "A",
      variable: "CODER_SSH_FORWARD_AGENT",
      summary: "forward the SSH agent of $SSH_AUTH_SOCK",
    },
    identityAgent: {
      kind: "text",
      value: "socket",
      variable: "CODER_SSH_IDENTITY_AGENT",
      summary: "SSH agent to forward with --forward-agent (default: $SSH_AUTH_SOCK)",
    },
    forwardGpg: {
      kind: "switch",
      short: "G",
      variable: "CODER_SSH_FORWARD_GPG",
      summary: "let GnuPG in the workspace use the keys of this machine's GPG agent",
    },
    env: {
      kind: "list",
      short: "e",
      value: "name=value",
      variable: "CODER_SSH_ENV",
      summary: "environment variable to set",
    },
    localForward: {
      kind: "list",
      short: "L",
      value: "port:host:port",
      summary: "local port to forward to a host and port that the workspace reaches",
    },
    remoteForward: {
      kind: "list",
      short: "R",
      value: "port:host:port",
      variable: "CODER_SSH_REMOTE_FORWARD",
      summary: "port of the workspace to forward to a host and port that this machine reaches",
    },
    container: {
      kind: "text",
      short: "c",
      value: "name",
      variable: "CODER_SSH_CONTAINER",
      summary: "container in the workspace to run in, by its name or id",
    },
    containerUser: {
      kind: "text",
      short: "u",
      value: "user",
      variable: "CODER_SSH_CONTAINER_USER",
      summary: "user in that container (default: the user that it runs as)",
    },
    wait: { ...scriptWaitFlag, variable: "CODER_SSH_WAIT" },
    disableAutostart: disableAutostartFlag,
    disableDirectConnections: disableDirectFlag,
    hostnameSuffix: {
      kind: "text",
      value: "suffix",
      variable: "CODER_SSH_HOSTNAME_SUFFIX",
      summary: "suffix to strip from the name of the workspace, without its dot",
    },
    sshHostPrefix: {
      kind: "text",
      value: "prefix",
      variable: "CODER_SSH_SSH_HOST_PREFIX",
      summary: "prefix to strip from the name of the workspace",
    },
    networkInfoDir: {
      kind: "text",
      value: "directory",
      summary: "directory for the state of the connection, for editors",
    },
    networkInfoInterval: {
      kind: "text",
      value: "interval",
      summary: "interval of --network-info-dir (default: 5s)",
    },
    logDir: {
      kind: "text",
      short: "l",
      value: "directory",
      variable: "CODER_SSH_LOG_DIR",
      summary: "directory for the log of the connection, a new file each time",
    },
    verbose: {
      kind: "switch",
      short: "v",
      summary: "log the network on stderr, or in --log-dir",
    },
    noWait: {
      kind: "switch",
      variable: "CODER_SSH_NO_WAIT",
      summary: "same as --wait no",
      hidden: true,
    },
    usageApp: {
      kind: "text",
      value: "name",
      variable: "CODER_SSH_USAGE_APP",
      summary: "program that uses the connection; disable reports no use of the workspace",
      hidden: true,
    },
    forceNewTunnel: { kind: "switch", summary: "no effect", hidden: true },
    workspacePollInterval: { kind: "text", value: "interval", summary: "no effect", hidden: true },
  },
  examples: [
    { line: "slipway ssh demo", summary: "a shell" },
    { line: "slipway ssh demo -- ls -la", summary: "a command with flags" },
    { line: "slipway ssh -t ada/demo.main -- top", summary: "a command that needs a terminal" },
    {
      line: "slipway ssh demo --container web",
      summary: "a shell in a container of the workspace",
    },
    {
      line: "slipway ssh -L 8080:localhost:80 -R 9000:localhost:9000 demo",
      summary: "a shell, and a port in each direction",
    },
    {
      line: "tar c src | slipway ssh demo -- tar x -C /tmp",
      summary: "bytes on stdin and stdout as they are",
    },
  ],
});
