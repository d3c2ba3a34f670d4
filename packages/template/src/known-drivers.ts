import { didYouMean } from "./suggest.ts";

/** The drivers that Slipway has or plans, with their purposes. */
const knownDrivers: Readonly<Record<string, string>> = {
  process: "agents are processes on the server's own machine",
  docker: "agents are containers",
  external: "agents are started by hand, anywhere",
  kubernetes: "agents are pods of a cluster",
  terraform: "a Terraform configuration carries out builds",
};

/** The driver whose agents are started by hand, so that they may authenticate without their tokens. */
export const externalDriver = "external";

/** The driver whose templates are configurations in its own language. */
export const terraformDriver = "terraform";

/** The type of a resource whose agents people start by hand (docs/protocol/clients.md §2.3). */
export const externalAgentType = "coder_external_agent";

/** The driver whose agents leave containers alone: those of the server's machine belong to others. */
export const processDriver = "process";

/** The drivers, by kind, that run each agent in a container, which the template describes. */
export const containerDrivers: readonly string[] = ["docker", "kubernetes"];

/** Returns the kind of a driver: `kubernetes/eu` runs workspaces as `kubernetes` does, on a cluster with a name. */
export function driverKind(driver: string): string {
  return /^[^/]*/.exec(driver)?.[0] ?? driver;
}

/** The drivers that a server offers to template authors. */
export interface AvailableDrivers {
  readonly drivers: readonly string[];
  /** The reasons for refusing other drivers, by name; the reason follows the driver in a sentence. */
  readonly refused?: ReadonlyMap<string, string>;
}

/** Explains why this server cannot build with a driver; undefined if it can. */
export function driverProblem(
  driver: string,
  { drivers: available, refused }: AvailableDrivers,
): string | undefined {
  if (available.includes(driver)) return undefined;
  const reason = refused?.get(driver);
  if (reason !== undefined) return `the driver \`${driver}\` ${reason}`;
  const list = available.length === 0 ? "none" : available.join(", ");
  const kind = driverKind(driver);
  const purpose = Object.hasOwn(knownDrivers, kind) ? knownDrivers[kind] : undefined;
  if (purpose !== undefined) {
    return `the driver \`${driver}\` (${purpose}) is not available on this server; available: ${list}`;
  }
  const meant = didYouMean(driver, [...available, ...Object.keys(knownDrivers)]);
  return `unknown driver \`${driver}\`${meant === "" ? ";" : meant} available: ${list}`;
}
