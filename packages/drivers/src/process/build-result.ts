import type { DriverAgent } from "../driver-build.ts";
import type { DriverResource } from "../driver.ts";
import { DriverError } from "../errors.ts";

/** Rejects agent names that cannot be file names. */
export function requireFileName({ name, id }: DriverAgent): void {
  if (/^[\da-z][\da-z_-]{0,63}$/i.test(name) && /^[\da-z][\da-z-]{0,63}$/i.test(id)) return;
  throw new DriverError(
    "invalid-template",
    `agent name ${JSON.stringify(name)}, wanted at most 64 letters, digits, hyphens and underscores, beginning with a letter or digit`,
  );
}

/** Lists the agents and the directory, which stays when the agents stop. */
export function resourcesOf(agentNames: readonly string[]): DriverResource[] {
  const agents = agentNames.map((name) => ({
    type: "process",
    name,
    icon: "/icon/terminal.svg",
    agentNames: [name],
  }));
  return [...agents, { type: "directory", name: "home", icon: "/icon/folder.svg", agentNames: [] }];
}

/** Encodes the state that the next build receives. */
export function encodeState(directory: string, pids: Readonly<Record<string, number>>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ directory, pids }));
}
