import type { Workspace } from "@slipway/api/workspaces/workspace";

import type { SshOption } from "./server-settings.ts";

interface HostEntriesOptions {
  /** The prefix of host names that are workspaces; undefined for none. */
  readonly prefix: string | undefined;
  /** The suffix of host names that are workspaces, without its dot; undefined for none. */
  readonly suffix: string | undefined;
  /** The first option of a name counts, as in OpenSSH. */
  readonly options: readonly SshOption[];
  /** The hosts to name, without prefix and suffix; undefined for patterns that match all. */
  readonly hosts: readonly string[] | undefined;
  /** The words that run `slipway ssh --stdio`, with its flags; undefined for no `ProxyCommand`. */
  readonly command: readonly string[] | undefined;
}

/** The network has authenticated the workspace: its host keys add nothing. */
const defaultOptions: readonly SshOption[] = [
  { name: "ConnectTimeout", value: "0" },
  { name: "StrictHostKeyChecking", value: "no" },
  { name: "UserKnownHostsFile", value: "/dev/null" },
  { name: "LogLevel", value: "ERROR" },
];

/** Options that OpenSSH accumulates rather than takes once. */
const repeatable = new Set([
  "certificatefile",
  "dynamicforward",
  "identityfile",
  "localforward",
  "remoteforward",
  "sendenv",
]);

/** Returns the lines of `ssh_config` that make OpenSSH reach workspaces through the command. */
export function hostEntries(entries: HostEntriesOptions): readonly string[] {
  const { prefix, suffix, hosts, command } = entries;
  const options = firstOfEach([...entries.options, ...defaultOptions]);
  const entry = (host: string, flag: string, affix: string): readonly string[] => [
    // The host is quoted for the shell below, and only a quote could end the quoting; new releases of OpenSSH refuse
    // one anyway.
    `Host ${host}${hosts === undefined ? ` "!*'*"` : ""}`,
    ...options.map(({ name, value }) => `\t${name} ${value}`),
    ...(command === undefined
      ? []
      : [`\tProxyCommand ${proxyCommand([...command, flag, affix])} '%h'`]),
  ];
  const names = hosts ?? ["*"];
  return [
    ...(prefix === undefined
      ? []
      : names.flatMap((name) => entry(`${prefix}${name}`, "--ssh-host-prefix", prefix))),
    ...(suffix === undefined
      ? []
      : names.flatMap((name) => entry(`${name}.${suffix}`, "--hostname-suffix", suffix))),
  ];
}

function firstOfEach(options: readonly SshOption[]): readonly SshOption[] {
  const named = new Set<string>();
  return options.filter(({ name }) => {
    const key = name.toLowerCase();
    const isFirst = !named.has(key);
    named.add(key);
    return isFirst || repeatable.has(key);
  });
}

/** Quotes words for the shell that OpenSSH runs, and for OpenSSH, in which a percent sign begins a token. */
function proxyCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .map((word) => word.replaceAll("%", "%%"))
    .join(" ");
}

/** Names that stand only for themselves in `ssh_config`: a server is not trusted to send others. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** Returns the names of workspaces as hosts; with several agents, each as `workspace.agent`. */
export function hostNames(
  workspaces: readonly Pick<Workspace, "name" | "latest_build">[],
): readonly string[] {
  return workspaces
    .flatMap(({ name, latest_build: { resources } }) => {
      const agents = resources.flatMap((resource) => resource.agents ?? []);
      return agents.length < 2 ? [[name]] : agents.map((agent) => [name, agent.name]);
    })
    .filter((parts) => parts.every((part) => plainName.test(part)))
    .map((parts) => parts.join("."));
}
