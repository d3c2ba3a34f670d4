import type { DriverBuild } from "../driver-build.ts";
import type { DriverLog, DriverResult } from "../driver.ts";
import { DriverError } from "../errors.ts";
import { resultOf } from "./build-result.ts";
import { type BuildStage, runningTokenVariable } from "./build-variables.ts";
import {
  hasAgentPlaces,
  isEmptyState,
  managedAddresses,
  resourcesOf,
  stateSizeProblem,
} from "./state-file.ts";
import type { RunLimits } from "./terraform-options.ts";
import type { TerraformSession } from "./terraform-session.ts";
import { stateResources } from "./values.ts";

/** A build with what its variables tell the provider. */
export interface BuildRun {
  readonly build: DriverBuild;
  readonly stage: BuildStage;
}

/** Plans and applies a build in its session. */
export async function runBuild(
  session: TerraformSession,
  { build, stage }: BuildRun,
  { maxStateBytes }: Pick<RunLimits, "maxStateBytes">,
  log: DriverLog,
  signal: AbortSignal,
): Promise<DriverResult> {
  const destroy = build.transition === "delete";
  if (destroy && isEmptyState(await session.readState())) {
    log.write("info", "Destroying", "there is nothing to remove");
    return { state: await session.readState(), resources: [] };
  }
  const token = await runningToken(session, build);
  if (token !== undefined) session.pass({ [runningTokenVariable]: token });
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
  const problem = stateSizeProblem(state, maxStateBytes);
  if (problem !== undefined) throw new DriverError("run-failed", problem);
  const resources = resourcesOf(state) ?? stateResources(await session.showState(signal));
  return { state, ...resultOf(resources, session, build, log) };
}

/** Returns the token of the only agent, if infrastructure from the last build has it and would lose it. */
async function runningToken(
  session: TerraformSession,
  { agents }: DriverBuild,
): Promise<string | undefined> {
  const [agent, second] = agents;
  if (agent === undefined || second !== undefined || agent.token === "") return undefined;
  return hasAgentPlaces(await session.readState(), agent.name) ? agent.token : undefined;
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
