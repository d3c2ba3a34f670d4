import { readFlag } from "./ssh-settings.ts";

/** The settings of dev containers (docs/protocol/agent.md §1.1). */
export interface ContainerSettings {
  /** True to look for dev containers in the repositories of the agent's directory. */
  readonly discoversProjects: boolean;
  /** True to start those that ask for it. */
  readonly startsDiscovered: boolean;
}

const prefix = "CODER_AGENT_DEVCONTAINERS";

/** Reads the settings from their variables, and adds faults to the list. Undefined if the feature is off. */
export function readContainerSettings(
  text: (name: string) => string | undefined,
  faults: string[],
): ContainerSettings | undefined {
  const flag = (name: string, standard: boolean): boolean =>
    readFlag(name, text(name) ?? String(standard), faults);
  const isEnabled = flag(`${prefix}_ENABLE`, true);
  const settings = {
    discoversProjects: flag(`${prefix}_PROJECT_DISCOVERY_ENABLE`, true),
    startsDiscovered: flag(`${prefix}_DISCOVERY_AUTOSTART_ENABLE`, false),
  };
  return isEnabled ? settings : undefined;
}
