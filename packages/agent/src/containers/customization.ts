import { type JsonObject, objectOf } from "@slipway/runtime";

import type { DevcontainerConfig } from "./devcontainer-cli.ts";
import { isAgentName } from "./devcontainer-name.ts";
import {
  type AppSharing,
  type DisplayApp,
  displayApps as allDisplayApps,
  type SubAgentApp,
} from "./sub-agent.ts";

/** The wishes of a dev container's configuration for its agent (docs/protocol/agent.md §8.7). */
export interface Customization {
  /** Undefined for a name by the folder, also in place of one that servers refuse. */
  readonly name: string | undefined;
  /** True if no agent shall run in it. */
  readonly isIgnored: boolean;
  readonly displayApps: readonly DisplayApp[];
  readonly apps: readonly SubAgentApp[];
}

/** The maximum number of apps, whose texts a configuration or an image determines. */
const maxApps = 64;
const maxTextLength = 4096;

const sharings: readonly AppSharing[] = ["owner", "authenticated", "public", "organization"];

const openIns = ["slim-window", "tab"] as const;

/** The wishes of a configuration that cannot be read. */
export const noCustomization: Customization = {
  name: undefined,
  isIgnored: false,
  displayApps: allDisplayApps.filter((name) => name !== "vscode_insiders"),
  apps: [],
};

/** Reads the wishes of a configuration. Later parts override earlier ones; malformed values are left out. */
export function readCustomization({
  customization,
  mergedCustomizations,
}: Pick<DevcontainerConfig, "customization" | "mergedCustomizations">): Customization {
  const shown = new Set<DisplayApp>(noCustomization.displayApps);
  const apps = new Map<string, SubAgentApp>();
  for (const part of mergedCustomizations) {
    const wanted = objectOf(part["displayApps"]);
    for (const name of allDisplayApps) {
      if (wanted[name] === true) shown.add(name);
      if (wanted[name] === false) shown.delete(name);
    }
    const listed = part["apps"];
    for (const one of Array.isArray(listed) ? listed : []) {
      const app = readApp(objectOf(one));
      if (app !== undefined && (apps.has(app.slug) || apps.size < maxApps)) apps.set(app.slug, app);
    }
  }
  const chosen = text(customization["name"]) ?? "";
  return {
    name: isAgentName(chosen) ? chosen : undefined,
    isIgnored: customization["ignore"] === true,
    displayApps: allDisplayApps.filter((name) => shown.has(name)),
    apps: [...apps.values()],
  };
}

function readApp(fields: JsonObject): SubAgentApp | undefined {
  const slug = text(fields["slug"]);
  if (slug === undefined) return undefined;
  const share = sharings.find((one) => one === fields["share"]);
  const openIn = openIns.find((one) => one === fields["openIn"]);
  const { order } = fields;
  return {
    slug,
    ...named("command", text(fields["command"])),
    ...named("displayName", text(fields["displayName"])),
    ...named("external", flag(fields["external"])),
    ...named("group", text(fields["group"])),
    ...named("healthcheck", healthcheck(objectOf(fields["healthCheck"]))),
    ...named("hidden", flag(fields["hidden"])),
    ...named("icon", text(fields["icon"])),
    ...named("openIn", openIn),
    ...named("order", isNumber(order) ? order : undefined),
    ...named("share", share),
    ...named("subdomain", flag(fields["subdomain"])),
    ...named("url", text(fields["url"])),
  };
}

function healthcheck({ url, interval, threshold }: JsonObject): SubAgentApp["healthcheck"] {
  const address = text(url);
  if (address === undefined || !isNumber(interval) || !isNumber(threshold)) return undefined;
  return { url: address, interval, threshold };
}

/** Returns an object with the value, or without it if there is none. */
function named<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key is a string to the compiler
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= maxTextLength
    ? value
    : undefined;
}

function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

/** Reports whether a value is an integer that the protocol can carry. */
function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 31;
}
