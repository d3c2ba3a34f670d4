import { countText } from "@slipway/runtime";
/** An option of `ssh_config`, with its name as given. */
export interface SshOption {
  readonly name: string;
  readonly value: string;
}

/** The part of a server's settings that is safe to use, and the reasons for the rest. */
export interface CheckedSettings {
  readonly prefix: string | undefined;
  readonly suffix: string | undefined;
  readonly options: readonly SshOption[];
  readonly warnings: readonly string[];
}

/** The maximum number of options that a server may set. */
export const maxServerOptions = 64;
const maxValueLength = 1024;
const maxAffixLength = 128;

/**
 * The options that a server may set, in lower case. All others are excluded: they run programs on this machine
 * (ProxyCommand, LocalCommand, KnownHostsCommand, XAuthLocation, …), load libraries, read or write files, or lend
 * keys and ports of this machine to the workspace.
 */
const harmlessOptions = new Set([
  "addressfamily",
  "batchmode",
  "casignaturealgorithms",
  "ciphers",
  "compression",
  "connectionattempts",
  "connecttimeout",
  "escapechar",
  "exitonforwardfailure",
  "gssapiauthentication",
  "hostkeyalgorithms",
  "ipqos",
  "kbdinteractiveauthentication",
  "kexalgorithms",
  "loglevel",
  "macs",
  "numberofpasswordprompts",
  "passwordauthentication",
  "preferredauthentications",
  "pubkeyauthentication",
  "rekeylimit",
  "requesttty",
  "serveralivecountmax",
  "serveraliveinterval",
  "setenv",
  "streamlocalbindunlink",
  "stricthostkeychecking",
  "tcpkeepalive",
  "user",
]);

/** Validates `GET /deployment/ssh` of a server that is not trusted to run anything here: a value may be anything. */
export function checkServerSettings(settings: unknown): CheckedSettings {
  const warnings: string[] = [];
  const warn = (text: string): undefined => void warnings.push(text);
  return {
    prefix: readAffix(property(settings, "hostname_prefix"), "prefix", warn),
    suffix: readAffix(property(settings, "hostname_suffix"), "suffix", warn),
    options: readOptions(property(settings, "ssh_config_options"), warn),
    warnings,
  };
}

/** Returns the problem with a prefix or suffix of host names, or undefined. */
export function affixProblem(text: string): string | undefined {
  if (text.length > maxAffixLength) return `is longer than ${maxAffixLength} characters`;
  return /^[A-Za-z0-9._-]+$/.test(text)
    ? undefined
    : "may contain only letters, digits, ., _ and -";
}

/** Returns the problem with an option, or undefined. */
export function optionProblem({ name, value }: SshOption): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name)) return "does not begin with the name of an option";
  if (/^(?:host|match|include)$/i.test(name)) return "would begin another section";
  // oxlint-disable-next-line no-control-regex -- a line feed would begin another option
  if (/[\u0000-\u0008\u000A-\u001F\u007F]/.test(value)) return "has a control character";
  if (value.trim() === "") return "has no value";
  return value.length > maxValueLength ? `is longer than ${maxValueLength} characters` : undefined;
}

function readAffix(
  value: unknown,
  which: "prefix" | "suffix",
  warn: (text: string) => undefined,
): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const text = which === "suffix" ? value.replace(/^\./, "") : value;
  const problem = affixProblem(text);
  return problem === undefined
    ? text
    : warn(`ignored the server's ${which} of hosts: it ${problem}`);
}

function readOptions(value: unknown, warn: (text: string) => undefined): readonly SshOption[] {
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value);
  if (entries.length > maxServerOptions) {
    warn(
      `ignored ${countText(entries.length, "option")} of the server: more than ${maxServerOptions}`,
    );
    return [];
  }
  return entries.flatMap(([name, text]: [string, unknown]) => {
    const option = { name, value: typeof text === "string" ? text : "" };
    const problem = optionProblem(option);
    if (problem === undefined && harmlessOptions.has(name.toLowerCase())) return [option];
    warn(
      problem === undefined
        ? `ignored ${name} of the server, which could reach into this machine; to accept it: --ssh-option "${name}=${option.value}"`
        : `ignored an option of the server, "${name}": it ${problem}`,
    );
    return [];
  });
}

function property(owner: unknown, name: string): unknown {
  return typeof owner === "object" && owner !== null ? Reflect.get(owner, name) : undefined;
}
