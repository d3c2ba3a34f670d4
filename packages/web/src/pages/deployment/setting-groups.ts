import type { DeploymentOption } from "@slipway/api/deployment/deployment";

/** The groups of settings by the words that their variables begin with, in the order of the page. */
const groups: readonly (readonly [name: string, prefix: RegExp])[] = [
  ["Limits", /^SLIPWAY_MAX_/],
  ["Docker", /^SLIPWAY_DOCKER_/],
  ["Kubernetes", /^SLIPWAY_KUBERNETES(_|$)/],
  ["Terraform", /^SLIPWAY_TERRAFORM(_|$)/],
  ["Workspaces on this machine", /^SLIPWAY_PROCESS_/],
  ["Log-in providers", /^SLIPWAY_(OIDC|GITHUB|SESSION|LOGIN|PASSWORD)/],
  ["External accounts", /^SLIPWAY_EXTERNAL_AUTH/],
  ["Cloud identity", /^SLIPWAY_(AWS|AZURE|GOOGLE)_/],
  ["SSH", /^SLIPWAY_SSH_/],
  ["Logging", /^SLIPWAY_LOG_/],
];
const general = "General";

export interface SettingGroup {
  readonly name: string;
  readonly options: readonly DeploymentOption[];
}

/** Sorts the settings that match a search into groups; the general ones first, the limits last. */
export function groupSettings(
  options: readonly DeploymentOption[],
  search: string,
  onlyGiven: boolean,
): readonly SettingGroup[] {
  const words = search.toLowerCase().split(/\s+/);
  const found = options.filter((option) => {
    if (onlyGiven && option.value_source === "default") return false;
    const text = `${option.env} ${option.description} ${option.value}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const [limits = "", ...others] = groups.map(([name]) => name);
  return [general, ...others, limits]
    .map((name) => ({ name, options: found.filter((option) => groupOf(option.env) === name) }))
    .filter((group) => group.options.length > 0);
}

function groupOf(variable: string): string {
  return groups.find(([, prefix]) => prefix.test(variable))?.[0] ?? general;
}

/** Returns the flag of a variable: `--http-address` of `SLIPWAY_HTTP_ADDRESS`. */
export function flagOf(variable: string): string {
  return `--${variable
    .replace(/^SLIPWAY_/, "")
    .toLowerCase()
    .replaceAll("_", "-")}`;
}
