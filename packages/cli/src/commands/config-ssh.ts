import { defineCommand } from "../command/definition.ts";
import { yesFlag } from "../command/flags.ts";
import { scriptWaitFlag } from "../resources/network/network-flags.ts";

export const command = defineCommand({
  summary: "let ssh, scp, rsync and git reach workspaces by name",
  description:
    "Add a section to your SSH configuration that connects host names such as demo.slipway to workspaces. The command " +
    "shows what it would change and asks first; it replaces its own section only. The server names the hosts and may set " +
    "harmless options of ssh. Headers for a proxy before the server, and the command that prints them, are stored in a " +
    "file of yours that ssh's connections read.",
  arguments: {},
  flags: {
    sshConfigFile: {
      kind: "text",
      value: "file",
      variable: "CODER_SSH_CONFIG_FILE",
      summary: "configuration to change (default: ~/.ssh/config)",
    },
    sshOption: {
      kind: "list",
      short: "o",
      value: "name=value",
      variable: "CODER_SSH_CONFIG_OPTS",
      summary: "option of ssh for workspaces",
    },
    hostnameSuffix: {
      kind: "text",
      value: "suffix",
      variable: "CODER_CONFIGSSH_HOSTNAME_SUFFIX",
      summary: 'end of host names that are workspaces; "" for none (default: as the server says)',
    },
    sshHostPrefix: {
      kind: "text",
      value: "prefix",
      variable: "CODER_CONFIGSSH_SSH_HOST_PREFIX",
      summary:
        'beginning of host names that are workspaces; "" for none (default: as the server says)',
    },
    noWildcard: {
      kind: "switch",
      variable: "CODER_CONFIGSSH_NO_WILDCARD",
      summary: "name each of your workspaces, for programs that list the hosts of the file",
    },
    binaryPath: {
      kind: "text",
      value: "file",
      variable: "CODER_SSH_CONFIG_BINARY_PATH",
      summary: "absolute path of slipway, or of coder, that ssh runs (default: this one)",
      aliases: ["coder-binary-path"],
    },
    forceUnixFilepaths: {
      kind: "switch",
      variable: "CODER_CONFIGSSH_UNIX_FILEPATHS",
      summary: "write Windows paths with /, for a Unix shell on Windows",
    },
    skipProxyCommand: {
      kind: "switch",
      variable: "CODER_SSH_SKIP_PROXY_COMMAND",
      summary: "write no ProxyCommand, for hosts that get one elsewhere",
      hidden: true,
    },
    wait: { ...scriptWaitFlag, variable: "CODER_CONFIGSSH_WAIT" },
    disableAutostart: {
      kind: "switch",
      variable: "CODER_CONFIGSSH_DISABLE_AUTOSTART",
      summary: "do not start stopped workspaces",
    },
    remove: { kind: "switch", summary: "remove the section" },
    dryRun: {
      kind: "switch",
      short: "n",
      variable: "CODER_SSH_DRY_RUN",
      summary: "print what would change, and change nothing",
    },
    yes: yesFlag,
    usePreviousOptions: { kind: "switch", summary: "no effect", hidden: true },
  },
  examples: [
    { line: "slipway config-ssh", summary: "then: ssh demo.slipway" },
    { line: "slipway config-ssh --dry-run", summary: "preview the change" },
    {
      line: "slipway config-ssh -y -o ForwardAgent=yes",
      summary: "lend your SSH agent to workspaces, without a question",
    },
    { line: "slipway config-ssh --remove", summary: "remove the section" },
  ],
});
