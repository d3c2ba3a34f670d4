import type { AgentEnd, Driver, DriverEvent } from "@slipway/drivers";
import { Backoff, errorText, Mailbox, Scope } from "@slipway/runtime";

import { storableText } from "../../platform/fields/storable-text.ts";
import type { Platform } from "../../platform/platform.ts";
import { readRunningAgents } from "../agents/build-service.ts";
import {
  findRunningAgent,
  recordEnd,
  type RunningAgent,
  writeLine,
} from "../agents/lifecycle/end-service.ts";
import type { BuildNeeds } from "./driver-build.ts";
import { restoreWorkspaces } from "./restore.ts";

interface WatchNeeds extends Platform {
  readonly workerId: string;
}

/** The maximum number of reports that wait; a container may report that it ran out of memory as often as it likes. */
const maxWaiting = 1_000;
const backoff = { firstMs: 200, maxMs: 10_000, factor: 2, jitter: 0.2 };

/**
 * Follows what happens to agents outside of builds, for the drivers that can tell: records that agents ended, and
 * restores workspaces whenever the connection to the infrastructure is new, because its restart may have ended them.
 */
export async function watchDrivers(
  needs: BuildNeeds,
  options: WatchNeeds,
  signal: AbortSignal,
): Promise<void> {
  await using watches = new Scope(signal);
  for (const driver of needs.drivers.values()) {
    if (driver.watch === undefined) continue;
    watches.run((stop) => keepWatching(needs, options, driver, stop));
  }
  await watches.join();
}

async function keepWatching(
  needs: BuildNeeds,
  options: WatchNeeds,
  driver: Driver,
  signal: AbortSignal,
): Promise<void> {
  const logger = options.logger.child({ driver: driver.name });
  const delays = new Backoff(backoff);
  for (;;) {
    const events = new Mailbox<DriverEvent>(maxWaiting);
    const report = (event: DriverEvent): void => {
      if (event.kind === "watching") delays.reset();
      if (events.offer(event) === "full") logger.warn({}, "too many reports: some are dropped");
    };
    await using handling = new Scope(signal);
    handling.run((stop) => handleAll(needs, { ...options, logger }, { driver, events }, stop));
    try {
      await driver.watch?.(report, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Most servers have no infrastructure of this driver; builds say what is missing.
      logger.debug({ error: errorText(error) }, "not connected to the infrastructure");
    }
    await options.clock.sleep(delays.next(), signal);
  }
}

interface Reports {
  readonly driver: Driver;
  readonly events: Mailbox<DriverEvent>;
}

/** Handles reports one after the other. A failure concerns one of them. */
async function handleAll(
  needs: BuildNeeds,
  options: WatchNeeds,
  { driver, events }: Reports,
  signal: AbortSignal,
): Promise<void> {
  signal.addEventListener("abort", () => events.close(), { once: true });
  for await (const event of events) {
    if (signal.aborted) return;
    try {
      if (event.kind === "watching") await restore(needs, options, driver, signal);
      else await handleEnd(needs, options, driver, event, signal);
    } catch (error) {
      signal.throwIfAborted();
      options.logger.error({ error: errorText(error) }, "cannot handle a report of the driver");
    }
  }
}

async function restore(
  needs: BuildNeeds,
  { workerId, logger }: WatchNeeds,
  driver: Driver,
  signal: AbortSignal,
): Promise<void> {
  await restoreWorkspaces(needs, { workerId, drivers: [driver.name], logger }, signal);
}

/**
 * Records the end of an agent if it did end: a report may be late or repeated, and the agent may have been started
 * again.
 */
async function handleEnd(
  needs: BuildNeeds,
  options: WatchNeeds,
  driver: Driver,
  { tokenHash, kind, detail: told }: AgentEnd,
  signal: AbortSignal,
): Promise<void> {
  const agent = await findRunningAgent(needs.db, tokenHash);
  if (agent === undefined) return;
  const detail = storableText(told);
  if (!(await isRunning(needs, driver, agent, signal))) await recordEnd(options, agent, detail);
  else if (kind === "out-of-memory") await writeLine(options, agent, detail);
}

async function isRunning(
  { db, secrets }: BuildNeeds,
  driver: Driver,
  { id, workspaceId, buildId, driverState: state }: RunningAgent,
  signal: AbortSignal,
): Promise<boolean> {
  const agents = await readRunningAgents(db, secrets, buildId);
  const observed = await driver.observe(
    { workspaceId, agents: agents.filter((agent) => agent.id === id), state },
    signal,
  );
  return observed.agents.some(({ status }) => status === "running");
}
