import type { Report, SettingSource } from "./setting-source.ts";

/** The settings that clients write into their SSH configuration (docs/protocol/clients.md §0.6). */
export interface SshSettings {
  /** The beginning of host names that are workspaces. */
  readonly hostnamePrefix: string;
  /** The end of host names that are workspaces, without its dot. */
  readonly hostnameSuffix: string;
  /** Options of `ssh_config` by name. */
  readonly configOptions: Readonly<Record<string, string>>;
}

/** Options that clients refuse, as they would run programs on their machines. */
const refusedOptions = new Set([
  "host",
  "match",
  "include",
  "proxycommand",
  "proxyjump",
  "localcommand",
  "permitlocalcommand",
  "remotecommand",
  "knownhostscommand",
  "pkcs11provider",
  "securitykeyprovider",
  "smartcarddevice",
  "xauthlocation",
]);

export function readSshSettings(source: SettingSource, report: Report): SshSettings {
  return {
    hostnamePrefix: readName(source, "SLIPWAY_SSH_HOSTNAME_PREFIX", "coder.", report),
    hostnameSuffix: readName(source, "SLIPWAY_SSH_HOSTNAME_SUFFIX", "slipway", report),
    configOptions: readOptions(source, report),
  };
}

function readName(source: SettingSource, name: string, fallback: string, report: Report): string {
  const text = source[name] || fallback;
  if (/^[a-z0-9][a-z0-9._-]{0,126}$/i.test(text)) return text;
  report(name, "a part of a host name, such as slipway");
  return fallback;
}

function readOptions(source: SettingSource, report: Report): Readonly<Record<string, string>> {
  const name = "SLIPWAY_SSH_CONFIG_OPTIONS";
  const text = source[name] ?? "";
  if (text === "") return {};
  const pairs = text.split(",").map((pair) => /^\s*([a-z0-9]+)\s*=\s*(\S.*)$/i.exec(pair));
  const isUsable = pairs.every(
    (pair) => pair !== null && !refusedOptions.has((pair[1] ?? "").toLowerCase()),
  );
  if (isUsable) return Object.fromEntries(pairs.map((pair) => [pair?.[1], pair?.[2]]));
  report(
    name,
    "options of ssh that run no programs, such as ServerAliveInterval=30,Compression=yes",
  );
  return {};
}
