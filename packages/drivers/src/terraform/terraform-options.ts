import type { Clock } from "@slipway/runtime";

import type { UidRange } from "../process/user-assignments.ts";

export interface TerraformDriverOptions {
  /** The directory of the runs' directories, itself in a directory of the server. */
  readonly runsDir: string;
  /** The path of the program, OpenTofu or Terraform; or the reason why the driver is off, as it follows its name. */
  readonly program: { readonly path: string } | { readonly refusal: string };
  /** The program's own configuration file, which says where providers come from (default: their registry). */
  readonly configFile: string | undefined;
  /** Variables for runs, such as credentials of a cloud. Runs get no other variable of the server's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** The uids with which the runs of each workspace have their own user; undefined to run as the server's user. */
  readonly users: UidRange | undefined;
  /**
   * The texts of `coder_agent.init_script` by `<os>_<arch>`; the provider replaces `${ACCESS_URL}`, which ends in a slash, and
   * `${AUTH_TYPE}`.
   */
  readonly agentScripts: Readonly<Record<string, string>>;
  /** The maximum number of configurations that are carried out at the same time. */
  readonly maxRuns: number;
  readonly limits?: Partial<RunLimits>;
  readonly clock: Clock;
}

export interface RunLimits {
  /** The time that an interrupted program has to finish its changes and to save the state. */
  readonly graceMs: number;
  readonly maxRunMs: number;
  /** The time without output after which a program is interrupted: a provider hangs. */
  readonly maxQuietMs: number;
  /** The time without a renewal of the build's lease after which a program that changes infrastructure is interrupted. */
  readonly maxSilenceMs: number;
  /** The time that a run for a form has, in which a person waits. */
  readonly maxFormMs: number;
  readonly maxOutputBytes: number;
  /** The size of a state, and of a plan or a state as JSON. */
  readonly maxStateBytes: number;
  /** The size up to which a state that is too large is kept all the same, so that what it names can be removed. */
  readonly maxKeptStateBytes: number;
}

export const defaultRunLimits: RunLimits = {
  graceMs: 300_000,
  maxRunMs: 3_600_000,
  maxQuietMs: 1_200_000,
  maxSilenceMs: 120_000,
  maxFormMs: 30_000,
  maxOutputBytes: 256 * 1024 * 1024,
  maxStateBytes: 16 * 1024 * 1024,
  maxKeptStateBytes: 64 * 1024 * 1024,
};
