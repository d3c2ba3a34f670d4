import type { Mutant } from "./mutant.ts";

const socket = "packages/agent/src/socket";
const sockets = { project: "unit", files: [`${socket}/agent-socket.test.ts`] } as const;
const entries = {
  project: "unit",
  files: ["packages/cli/src/commands/config-ssh/host-entries.test.ts"],
} as const;
const configSsh = {
  project: "unit",
  files: ["packages/cli/src/config-ssh.test.ts"],
} as const;
const insideCommands = {
  project: "unit",
  files: ["packages/cli/src/inside-commands.test.ts"],
} as const;
const locale = { project: "unit", files: ["packages/agent/src/pty/locale.test.ts"] } as const;

/** Bugs that tests once could not see, however they ended. */
export const guards: readonly Mutant[] = [
  {
    name: "endless-request-kept",
    breaks: "a program's request without an end fills the agent's memory",
    file: `${socket}/socket-connection.ts`,
    find: "if (responder.waitingBytes > connectionLimits.maxRequestBytes) {",
    replace: "if (responder.waitingBytes > 1e12) {",
    suite: sockets,
  },
  {
    name: "no-drpc-ignored",
    breaks: "a program that speaks something else stays connected",
    file: `${socket}/socket-connection.ts`,
    find: '      logger.debug({ error: errorText(error) }, "program cut off");\n      socket.destroy();',
    replace: '      logger.debug({ error: errorText(error) }, "program cut off");',
    suite: sockets,
  },
  {
    name: "programs-without-bound",
    breaks: "programs that say nothing take all descriptors of the agent",
    file: `${socket}/agent-socket.ts`,
    find: "      if (connections.size > maxSocketConnections) oldest?.destroy();\n",
    replace: "      if (connections.size > maxSocketConnections) oldest?.resume();\n",
    suite: sockets,
  },
  {
    name: "newest-program-is-cut-off",
    breaks: "programs that say nothing keep out all others",
    file: `${socket}/agent-socket.ts`,
    find: "oldest?.destroy();",
    replace: "socket.destroy(void oldest);",
    suite: sockets,
  },
  {
    name: "speaking-does-not-count",
    breaks: "a program that speaks is cut off for one that says nothing",
    file: `${socket}/agent-socket.ts`,
    find: "        connections.delete(socket);\n        connections.add(socket);",
    replace: "        connections.add(socket);",
    suite: sockets,
  },
  {
    name: "answers-without-end",
    breaks: "answers for a program that does not read fill the agent's memory",
    file: `${socket}/socket-connection.ts`,
    find: "if (bytes.length > 0 && !socket.write(bytes)) socket.pause();",
    replace: "if (bytes.length > 0) socket.write(bytes);",
    suite: sockets,
  },
  {
    name: "host-without-quotes",
    breaks: "the name of a host runs commands",
    file: "packages/cli/src/commands/config-ssh/host-entries.ts",
    find: "affix])} '%h'`",
    replace: "affix])} %h`",
    suite: entries,
  },
  {
    name: "host-ends-its-quotes",
    breaks: "a host whose name has a quote runs commands",
    file: "packages/cli/src/commands/config-ssh/host-entries.ts",
    find: '"!*\'*"',
    replace: "",
    suite: entries,
  },
  {
    name: "others-read-headers",
    breaks: "others read the headers of ssh's connections",
    file: "packages/cli/src/commands/config-ssh/header-script.ts",
    find: "const fileMode = 0o600;",
    replace: "const fileMode = 0o644;",
    suite: configSsh,
  },
  {
    name: "old-headers-stay",
    breaks: "headers stay on disk after nothing reads them",
    file: "packages/cli/src/commands/config-ssh/run.ts",
    find: "if (script === undefined) await rm(",
    replace: "if (script !== undefined) await rm(",
    suite: configSsh,
  },
  {
    name: "hosts-of-any-name",
    breaks: "a server's workspace names take over hosts of others",
    file: "packages/cli/src/commands/config-ssh/host-names.ts",
    find: "plainName.test(part)",
    replace: 'part !== ""',
    suite: configSsh,
  },
  {
    name: "lent-token-before-file",
    breaks: "a command uses the agent's token although a file is typed",
    file: "packages/cli/src/resources/inside/agent-client.ts",
    find: "const lentToken = hasOther ? undefined : variable",
    replace: "const lentToken = variable",
    suite: insideCommands,
  },
  {
    name: "locale-overruled",
    breaks: "a user's own character set is replaced",
    file: "packages/agent/src/pty/locale.ts",
    find: 'if (isUtf8 || all !== "") return command;',
    replace: 'if (all !== "") return command;',
    suite: locale,
  },
  {
    name: "locale-by-language-first",
    breaks: "a command's character set that is not UTF-8 is taken for it",
    file: "packages/agent/src/pty/locale.ts",
    find: "all || type || language",
    replace: "all || language || type",
    suite: locale,
  },
  {
    name: "locale-clears-the-environment",
    breaks: "a command in a terminal loses its variables",
    file: "packages/agent/src/pty/locale.ts",
    find: "{ ...command.environment, LC_CTYPE: characterSet }",
    replace: "{ LC_CTYPE: characterSet }",
    suite: locale,
  },
];
