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
import { resultOf } from "./build-result.ts";
import {
  agentVariables,
  type BuildStage,
  buildVariables,
  parameterVariables,
  readingVariables,
  runningTokenVariable,
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
import {
  hasAgentPlaces,
  isEmptyState,
  managedAddresses,
  pushedStateProblem,
  resourcesOf,
  stateSizeProblem,
} from "./state-file.ts";
import {
  defaultRunLimits,
  type RunLimits,
  type TerraformDriverOptions,
} from "./terraform-options.ts";
import { checkProgram, type TerraformProgram } from "./terraform-program.ts";
import { type SessionSubject, TerraformSession } from "./terraform-session.ts";
import { stateResources } from "./values.ts";

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
    return this.#inSession(subject, log, signal, (session) => readTemplate(session, log, signal));
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

  async #carryOut(
    build: DriverBuild,
    stage: BuildStage,
    log: DriverLog,
    signal: AbortSignal,
  ): Promise<DriverResult> {
    const destroy = build.transition === "delete";
    const token = runningToken(build);
    const subject = {
      key: build.workspace.id,
      template: build.template,
      build,
      variables: {
        ...agentVariables(build.accessUrl, this.#options.agentScripts),
        ...buildVariables(build, { stage, runningToken: token }),
      },
    };
    return this.#inSession(subject, log, signal, async (session) => {
      if (destroy && isEmptyState(await session.readState())) {
        log.write("info", "Destroying", "there is nothing to remove");
        return { state: await session.readState(), resources: [] };
      }
      await initAndPlan(session, { destroy }, log, signal);
      if (token !== undefined && addsAgent(session.changes)) {
        // The provider would give it the token of the one that runs.
        session.withhold(runningTokenVariable);
        await session.plan({ destroy }, signal);
      }
      if (stage === "claim") warnOfReplacements(session, log);
      await applyPlan(session, build, log, signal);
      const state = await session.readState();
      if (destroy) return { state, resources: [] };
      // It is kept all the same, for a deletion.
      const problem = stateSizeProblem(state, this.#limits.maxStateBytes);
      if (problem !== undefined) throw new DriverError("run-failed", problem);
      const resources = resourcesOf(state) ?? stateResources(await session.showState(signal));
      return { state, ...resultOf(resources, session, build, log) };
    });
  }

  /** Runs a task in its turn, in a session that is closed at its end. */
  #inSession<T>(
    subject: SessionSubject,
    log: DriverLog,
    signal: AbortSignal,
    task: (session: TerraformSession) => Promise<T>,
  ): Promise<T> {
    const terms = { log, limits: this.#limits };
    return this.#turns.run(signal, () => this.#withSession(subject, terms, signal, task));
  }

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

/** Prepares the changes. If a removal cannot even be planned, the log tells the way out. */
async function initAndPlan(
  session: TerraformSession,
  { destroy }: { readonly destroy: boolean },
  log: DriverLog,
  signal: AbortSignal,
): Promise<void> {
  try {
    await session.init(signal);
    await session.plan({ destroy }, signal);
  } catch (error) {
    if (destroy && !signal.aborted) {
      log.write(
        "info",
        "Destroying",
        "nothing was removed: mend the template or its providers and delete the workspace again, or delete only its record with: slipway delete --orphan",
      );
    }
    throw error;
  }
}

/** Applies the plan; logs what a deletion leaves. Throws what `apply` throws. */
async function applyPlan(
  session: TerraformSession,
  build: DriverBuild,
  log: DriverLog,
  signal: AbortSignal,
): Promise<void> {
  try {
    await session.apply(signal);
  } finally {
    const left = build.transition === "delete" ? managedAddresses(await session.readState()) : [];
    if (left.length > 0) {
      log.write("warn", "Destroying", `still there: ${left.slice(0, maxListed).join(", ")}`);
    }
  }
}

const maxListed = 20;

function withoutAgents(resource: DriverResource): DriverResource {
  return { ...resource, agentNames: [] };
}

function addsAgent(changes: ReadonlyMap<string, string>): boolean {
  return [...changes].some(
    ([address, action]) => action === "create" && /(^|\.)coder_agent\.[^.]+$/.test(address),
  );
}

/** Tells which resources a claim replaces: the agent's process ends with the one that it lives in. */
function warnOfReplacements({ changes }: TerraformSession, log: DriverLog): void {
  for (const [address, action] of changes) {
    if (action !== "replace" && action !== "delete") continue;
    if (/(^|\.)coder_[a-z_]+\.[^.]+$/.test(address)) continue;
    log.write(
      "warn",
      "Planning",
      `the claim will ${action} ${address}: what runs in it ends. Let the configuration ignore what changes with the owner.`,
    );
  }
}

/** Returns the token of the only agent, if infrastructure from the last build has it and would lose it. */
function runningToken({ agents, state }: DriverBuild): string | undefined {
  const [agent, second] = agents;
  if (agent === undefined || second !== undefined || agent.token === "") return undefined;
  return hasAgentPlaces(state, agent.name) ? agent.token : undefined;
}
