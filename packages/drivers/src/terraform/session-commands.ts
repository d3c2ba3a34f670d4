import { countText } from "@slipway/runtime";

import type { DriverLog } from "../driver.ts";
import { CommandFailed } from "../errors.ts";
import { redactor } from "./redactor.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";
import type { RunDirectory, RunDirectoryOptions } from "./run-directory.ts";
import { RunLog } from "./run-log.ts";

/** The options that the commands of all sessions of a driver share. */
export interface SessionCommandsOptions extends RunDirectoryOptions {
  readonly program: string;
  readonly configFile: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** The directory, variables, secrets and log of one session. */
interface SessionCommandsSubject {
  readonly directory: RunDirectory;
  /** The variables of the provider. */
  readonly variables: Readonly<Record<string, string>>;
  /** Texts that the log does not show, besides the secrets of the environment. */
  readonly secrets: readonly string[];
  readonly log: DriverLog;
}

const programPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The commands of one session: their environment, their stages in the log, and what their failures say. */
export class SessionCommands {
  readonly #options: SessionCommandsOptions;
  readonly #directory: RunDirectory;
  readonly #log: DriverLog;
  readonly #redact: (text: string) => string;
  #environment: Readonly<Record<string, string>>;

  constructor(
    options: SessionCommandsOptions,
    { directory, variables, secrets, log }: SessionCommandsSubject,
  ) {
    this.#options = options;
    this.#directory = directory;
    this.#log = log;
    this.#environment = {
      ...options.environment,
      PATH: options.environment["PATH"] ?? programPath,
      HOME: directory.home,
      LANG: "C.UTF-8",
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
      CHECKPOINT_DISABLE: "1",
      ...(options.configFile === undefined ? {} : { TF_CLI_CONFIG_FILE: options.configFile }),
      ...variables,
    };
    this.#redact = redactor(this.#environment, secrets);
  }

  /** Passes further variables to the commands that follow: secrets of the build, which the log does not show. */
  pass(variables: Readonly<Record<string, string>>): void {
    this.#environment = { ...this.#environment, ...variables };
  }

  /** Withholds a variable from the commands that follow. */
  withhold(name: string): void {
    const { [name]: _, ...others } = this.#environment;
    this.#environment = others;
  }

  /** Runs a command in a stage of the log, and measures it. Throws what `runCommand` throws, and `CommandFailed`. */
  async run(
    stage: string,
    args: Command,
    signal: AbortSignal,
    more: RunExtras = {},
  ): Promise<RunLog> {
    const { clock } = this.#options;
    const [command] = args;
    const log = new RunLog(this.#log, stage, this.#redact);
    const startedMs = clock.now();
    let hasFailed = true;
    try {
      await this.#runCommand({ log, stage }, args, signal, more);
      hasFailed = false;
      return log;
    } finally {
      const { steps } = log;
      const times = { startedMs, endedMs: clock.now(), steps };
      this.#log.measured?.({ stage: stages[command], hasFailed, ...times });
    }
  }

  async #runCommand(
    { log, stage }: { readonly log: RunLog; readonly stage: string },
    args: Command,
    signal: AbortSignal,
    { variables, ...more }: RunExtras,
  ): Promise<void> {
    const { program, limits, clock, table } = this.#options;
    const { files, outputPath, user } = this.#directory;
    const { code } = await runCommand(
      {
        program,
        args,
        directory: files,
        environment: { ...this.#environment, ...variables },
        user,
        outputPath,
        ...more,
        limits,
        clock,
        table,
        onLine: log.add,
        onQuiet: (quietMs) => {
          const after = countText(Math.round(limits.maxQuietMs / 60_000), "minute");
          const text = `no output for ${Math.round(quietMs / 1000)} seconds; interrupted after ${after} without any`;
          this.#log.write("warn", stage, text);
        },
        onStart: (pid) =>
          this.#directory.recordProcess({ pid, isGuarded: more.lease !== undefined }),
      },
      signal,
    );
    if (code === 0) return;
    const [command] = args;
    const end = code === undefined ? "was killed" : `failed with exit code ${code}`;
    const reasons = log.errors.length === 0 ? [`${command} ${end}`] : log.errors;
    throw new CommandFailed(reasons.slice(0, maxReasons).join("; "), log.errorAddresses);
  }
}

interface RunExtras extends Pick<CommandOptions, "resultPath" | "lease"> {
  /** Variables of the provider for this command only. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A command of the program and its arguments. */
type Command = readonly [command: keyof typeof stages, ...args: string[]];

/** The stage of a build that each command is. */
const stages = { init: "init", plan: "plan", show: "graph", apply: "apply" } as const;
/** The maximum number of errors in the message about a failed run; the log has more. */
const maxReasons = 5;
