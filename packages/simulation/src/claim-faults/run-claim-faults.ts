import { appendFile, chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { Scope } from "@slipway/runtime";

import { claimUnderFaults } from "./claim-under-faults.ts";
import { countFaults, type InjectedFault } from "./inject-faults.ts";
import type { ClaimFaultsOptions, ClaimFaultsOutcome } from "./options.ts";
import { retireWorkspaces } from "./retire-workspaces.ts";
import { openStage, type Stage } from "./stage.ts";
import { compareOwnership, reachVerdict, type Verdict } from "./verdict.ts";
import { readWorkspaceFacts } from "./workspace-facts.ts";

const progressEveryMs = 5_000;
const lookEveryMs = 500;

/**
 * Runs claims under load on real servers, a real PostgreSQL and real agents, while all of them are killed and cut off
 * from each other; then waits in calm and judges every workspace (docs/claims.md; docs/protocol/prebuilds.md §7).
 * Throws when the run itself cannot continue.
 */
export async function runClaimFaults(options: ClaimFaultsOptions): Promise<ClaimFaultsOutcome> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-claims-"));
  // PostgreSQL runs as another user if this process is root.
  await chmod(directory, 0o711);
  const outcome = await run(directory, options).catch((error: unknown) => {
    throw new Error(`run failed; logs are in ${directory}`, { cause: error });
  });
  const isWanted = options.keep || outcome.violations.length > 0;
  if (!isWanted) await rm(directory, { recursive: true, force: true });
  return outcome;
}

async function run(directory: string, options: ClaimFaultsOptions): Promise<ClaimFaultsOutcome> {
  const startedAt = performance.now();
  const since = (): number => performance.now() - startedAt;
  await using stage = await openStage(directory, options);
  const { fleet, claims, deployment } = stage;
  const { postgres } = deployment;
  await using background = new Scope();
  const faults: InjectedFault[] = [];
  background.run((signal) => fleet.look(signal));
  background.run((signal) =>
    retireWorkspaces({ ...stage, postgres, maxAgents: options.maxAgents }, signal),
  );
  background.run((signal) => report(stage, faults, options, signal));

  const work = async (): Promise<ClaimFaultsOutcome> => {
    const onFault = (fault: InjectedFault): void => {
      faults.push(fault);
      background.run(() => appendFile(join(directory, "faults.log"), `${JSON.stringify(fault)}\n`));
    };
    await claimUnderFaults(stage, options, onFault, background.signal);
    const claimsMs = since();
    await waitForCalm(stage, options.calmWithinMs, background.signal);
    const calmMs = since();
    await pause(options.watchMs, undefined, { signal: background.signal });
    const verdict = await reachVerdict(postgres, fleet);
    return {
      violations: [...(await allViolations(stage, verdict, options))],
      claims: claims.claimed,
      missed: claims.missed,
      lostAnswers: claims.lostAnswers,
      doneUnanswered: claims.doneUnanswered,
      agentStarts: fleet.boxes.reduce((sum, { boots }) => sum + boots, 0),
      faults: countFaults(faults),
      claimsMs,
      calmMs,
      totalMs: since(),
      latencies: verdict.latencies,
      directory,
    };
  };
  return await Promise.race([work(), background.failed]);
}

async function waitForCalm(
  { deployment: { postgres }, fleet }: Stage,
  withinMs: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if ((await reachVerdict(postgres, fleet)).lacks.length === 0) return;
    await pause(lookEveryMs, undefined, { signal });
  }
}

async function allViolations(
  { claims, unexpectedExits, deployment: { postgres } }: Stage,
  { violations, lacks }: Verdict,
  { claims: wanted }: ClaimFaultsOptions,
): Promise<readonly string[]> {
  const facts = await readWorkspaceFacts(postgres);
  return [
    ...(claims.claimed < wanted ? [`${claims.claimed} claims in time, wanted ${wanted}`] : []),
    ...unexpectedExits,
    ...violations,
    ...lacks,
    ...compareOwnership(claims.acknowledged, facts),
  ];
}

async function report(
  { claims, fleet }: Stage,
  faults: readonly InjectedFault[],
  { onProgress, claims: wanted }: ClaimFaultsOptions,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    await pause(progressEveryMs, undefined, { signal });
    const up = fleet.boxes.filter(({ isUp }) => isUp).length;
    onProgress(
      `${claims.claimed} of ${wanted} claims, ${claims.missed} found the pool empty, ${up} agents, ${faults.length} faults`,
    );
  }
}
