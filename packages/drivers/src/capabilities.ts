import { driverKind } from "@slipway/template";

import type { DriverKind } from "./driver.ts";

/** The properties of a driver on which other code depends, so that nothing compares driver names. */
export interface DriverCapabilities {
  /** Workspaces run on the machine of the server that started them: only that server can stop them. */
  readonly isBoundToServer: boolean;
  /** Agents end with the machine and must be restored. */
  readonly needsRestore: boolean;
  /** Scripts of templates run on the server's own machine, so only owners write such templates. */
  readonly runsOnServerMachine: boolean;
  /** Agents are started by hand, with the credentials that the server shows. */
  readonly hasExternalAgents: boolean;
  /** Agents run in containers, which templates describe. */
  readonly hasContainers: boolean;
  /** The files of a template declare its parameters and agents in the driver's own language, in place of `slipway.yaml`. */
  readonly readsTemplates: boolean;
  /** The driver's state holds secrets, and is encrypted at rest. */
  readonly hasSecretState: boolean;
}

const none: DriverCapabilities = {
  isBoundToServer: false,
  needsRestore: false,
  runsOnServerMachine: false,
  hasExternalAgents: false,
  hasContainers: false,
  readsTemplates: false,
  hasSecretState: false,
};

const capabilities: Readonly<Record<DriverKind, DriverCapabilities>> = {
  process: { ...none, isBoundToServer: true, needsRestore: true, runsOnServerMachine: true },
  // Each server has its own Docker daemon; nothing tells that two of them have the same one. The daemon does not start
  // containers again by itself: only the server knows which workspaces should run.
  docker: { ...none, isBoundToServer: true, needsRestore: true, hasContainers: true },
  external: { ...none, hasExternalAgents: true },
  // Configurations run programs where they are carried out: data sources, providers and provisioners.
  terraform: { ...none, runsOnServerMachine: true, readsTemplates: true, hasSecretState: true },
  kubernetes: { ...none, hasContainers: true },
};

const byKind = new Map<string, DriverCapabilities>(Object.entries(capabilities));

/** Returns the capabilities of a driver; an unknown or absent one has none. */
export function capabilitiesOf(driver: string | null | undefined): DriverCapabilities {
  return byKind.get(driverKind(driver ?? "")) ?? none;
}

/** Lists the kinds of drivers with a capability, for SQL statements: only `kubernetes` has drivers of other names. */
export function driversWith(capability: keyof DriverCapabilities): readonly string[] {
  return [...byKind].flatMap(([kind, has]) => (has[capability] ? [kind] : []));
}
