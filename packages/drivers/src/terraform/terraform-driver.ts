import { Turnstile } from "@slipway/runtime";
import type { ParameterDefinition } from "@slipway/template";

import type { DriverBuild } from "../driver-build.ts";
import type {
  Driver,
  DriverLog,
  DriverPlan,
  DriverReading,
  DriverResource,
  DriverResult,
  ObserveInput,
  PlanInput,
  ReadInput,
  ReadParametersInput,
  WorkspaceObservation,
} from "../driver.ts";
import { DriverError } from "../errors.ts";
import { procTable } from "../process/proc-table.ts";
import { psTable } from "../process/ps-table.ts";
import { workspaceDirectory } from "../process/workspace-directory.ts";
import { machineDirectory, WorkspaceUsers } from "../process/workspace-users.ts";
import {
  agentVariables,
  type BuildStage,
  buildVariables,
  parameterVariables,
  readingVariables,
} from "./build-variables.ts";
import { runFiles, settleLeftover } from "./leftover-run.ts";
import { mustInstallAlone } from "./plugin-cache.ts";
import {
  formLimits,
  maxFormRuns,
  readAcceptedParameters,
  unlogged,
  withinFormTime,
} from "./read-form-parameters.ts";
import { definitionOf, readTemplate, requireStorable } from "./read-template.ts";
import { runBuild } from "./run-build.ts";
import { pushedStateProblem } from "./state-file.ts";
import {
  defaultRunLimits,
  type RunLimits,
  type TerraformDriverOptions,
} from "./terraform-options.ts";
import { checkProgram, type TerraformProgram } from "./terraform-program.ts";
import { type SessionSubject, TerraformSession } from "./terraform-session.ts";

/**
 * Carries out Terraform configurations that declare agents by the provider `coder/coder`, with OpenTofu or Terraform. The
 * state is that of the program, kept by the server; nothing of a run stays on the machine.
 */
export class TerraformDriver implements Driver {
  readonly name = "terraform";
  readonly refusal: string | undefined;
  readonly #options: TerraformDriverOptions;
  readonly #users: WorkspaceUsers | undefined;
  readonly #table = process.platform === "linux" ? procTable() : psTable;
  readonly #turns: Turnstile;
  /** The turns of runs for forms, in which people wait: they do not wait for builds. */
  readonly #formTurns = new Turnstile((inside) => inside < maxFormRuns);
  readonly #limits: RunLimits;
  #program: TerraformProgram | undefined;
  /** The turns of runs that must install providers alone. */
  readonly #installing = new Turnstile((inside) => inside === 0);

  constructor(options: TerraformDriverOptions) {
    const { program, users, runsDir, maxRuns } = options;
    this.#options = options;
    this.refusal = "refusal" in program ? program.refusal : undefined;
    const directories = [machineDirectory, `${runsDir}/.users`];
    this.#users = users && new WorkspaceUsers({ range: users, table: this.#table, directories });
    this.#limits = { ...defaultRunLimits, ...options.limits };
    this.#turns = new Turnstile((inside) => inside < maxRuns);
  }

  async read(input: ReadInput, log: DriverLog, signal: AbortSignal): Promise<DriverReading> {
    const { agentScripts } = this.#options;
    const variables = {
      ...agentVariables(input.accessUrl, agentScripts),
      ...readingVariables(input),
      ...parameterVariables(input.parameters),
    };
    const subject = { key: input.key, template: input.template, build: undefined, variables };
    const terms = { log, limits: this.#limits };
    return this.#turns.run(signal, () =>
      this.#withSession(subject, terms, signal, (session) => readTemplate(session, log, signal)),
    );
  }

  async readParameters(
    input: ReadParametersInput,
    signal: AbortSignal,
  ): Promise<readonly ParameterDefinition[]> {
    const { key, template, accessUrl } = input;
    const variables = { ...agentVariables(accessUrl, {}), ...readingVariables(input) };
    const subject = { key, template, build: undefined, variables };
    const found = await this.#formTurns.run(signal, () =>
      withinFormTime(this.#limits.maxFormMs, signal, (limited) => {
        const limits = { ...this.#limits, ...formLimits };
        return this.#withSession(subject, { log: unlogged, limits }, limited, (session) =>
          readAcceptedParameters(session, input, limited),
        );
      }),
    );
    requireStorable({ ...definitionOf([], []), parameters: found });
    return found;
  }

  /** Returns nothing: `read` plans a template, and a start tells what there is in its result. */
  async plan(_input: PlanInput): Promise<DriverPlan> {
    return { resources: [] };
  }

  async start(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#carryOut(build, build.isPrebuild ? "prebuild" : "none", log, signal);
  }

  async stop(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    const { state, resources } = await this.#carryOut(build, "none", log, signal);
    // Of the agents only their declarations are left.
    const left = resources.filter(({ type }) => type !== "coder_agent");
    return { state, resources: left.map(withoutAgents), agents: [] };
  }

  async delete(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    const result = await this.#carryOut(build, "none", log, signal);
    return { state: result.state, resources: [] };
  }

  async claim(build: DriverBuild, log: DriverLog, signal: AbortSignal): Promise<DriverResult> {
    return this.#carryOut(build, "claim", log, signal);
  }

  async settle(build: DriverBuild, log: DriverLog): Promise<void> {
    const { runsDir, clock } = this.#options;
    const files = runFiles(workspaceDirectory(runsDir, build.workspace.id));
    const options = { table: this.#table, clock, limits: this.#limits };
    await settleLeftover(files, build, options, log, AbortSignal.abort());
  }

  stateProblem(
    pushed: Uint8Array,
    kept: Uint8Array | undefined,
    isForced: boolean,
  ): string | undefined {
    const { maxStateBytes: maxBytes } = this.#limits;
    return pushedStateProblem(pushed, kept, { isForced, maxBytes });
  }

  /** Reports every agent as absent: only its connection shows whether it runs. */
  async observe({ agents }: ObserveInput): Promise<WorkspaceObservation> {
    return { agents: agents.map(({ id }) => ({ id, status: "absent" })) };
  }

  /** Carries a build out in its turn, before which nothing of it is read. */
  #carryOut(
    build: DriverBuild,
    stage: BuildStage,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<DriverResult> {
    const subject = {
      key: build.workspace.id,
      template: build.template,
      build,
      variables: {
        ...agentVariables(build.accessUrl, this.#options.agentScripts),
        ...buildVariables(build, stage),
      },
    };
    const terms = { log, limits: this.#limits };
    return this.#turns.run(signal, () =>
      this.#withSession(subject, terms, signal, (session) =>
        runBuild(session, { build, stage }, this.#limits, log, signal),
      ),
    );
  }

  /** Runs a task in a session that is closed at its end. */
  async #withSession<T>(
    subject: SessionSubject,
    { log, limits }: { readonly log: DriverLog; readonly limits: RunLimits },
    signal: AbortSignal,
    task: (session: TerraformSession) => Promise<T>,
  ): Promise<T> {
    const program = await this.#requireProgram(signal);
    // Looked at before each run, as the configuration file may change.
    const installsAlone = await mustInstallAlone(program, this.#options);
    const { runsDir: root, configFile, environment, clock } = this.#options;
    const options = {
      root,
      program: program.path,
      configFile,
      environment,
      users: this.#users,
      table: this.#table,
      clock,
      limits,
      installing: installsAlone ? this.#installing : undefined,
    };
    log.write("debug", "Setting up", `${program.product} ${program.version}`);
    await using session = await TerraformSession.open(options, subject, log, signal);
    return await task(session);
  }

  async #requireProgram(signal: AbortSignal): Promise<TerraformProgram> {
    const { program } = this.#options;
    if ("refusal" in program) {
      throw new DriverError("disabled", `the driver ${this.name} ${program.refusal}`);
    }
    this.#program ??= await checkProgram(program.path, signal);
    return this.#program;
  }
}

function withoutAgents(resource: DriverResource): DriverResource {
  return { ...resource, agentNames: [] };
}
