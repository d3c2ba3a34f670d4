/** A start, stop or deletion of a workspace, as passed to a driver. */
export interface DriverBuild {
  readonly id: string;
  /** Counts from 1 in each workspace. */
  readonly number: number;
  readonly transition: "start" | "stop" | "delete";
  readonly workspace: DriverWorkspace;
  readonly template: DriverTemplate;
  readonly parameters: Readonly<Record<string, string>>;
  /**
   * The agents of this build; for a claim, a stop or a deletion, the running ones: those of the last start whose
   * agents did not end.
   */
  readonly agents: readonly DriverAgent[];
  readonly limits: DriverLimits;
  /** The URL at which agents reach the server. */
  readonly accessUrl: string;
  /** The state that the driver returned from the workspace's previous build. */
  readonly state: Uint8Array | undefined;
}

export interface DriverWorkspace {
  readonly id: string;
  readonly name: string;
  readonly owner: { readonly id: string; readonly username: string };
}

export interface DriverTemplate {
  readonly name: string;
  readonly version: string;
  /** The driver settings of the template, with all values filled in. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The template version's files, unpacked; undefined for a driver that does not need them. */
  readonly directory: string | undefined;
}

export interface DriverAgent {
  readonly id: string;
  readonly name: string;
  /** In plaintext, for the driver to pass to the agent; empty if it is lost and the agent is running. Never logged. */
  readonly token: string;
  readonly platform: { readonly os: string; readonly arch: string };
  /** The directory in which sessions start; the agent expands `~`. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface DriverLimits {
  /** The time an agent has for its stop scripts before it is killed. */
  readonly stopTimeoutMs: number;
}

export const defaultDriverLimits: DriverLimits = { stopTimeoutMs: 60_000 };
