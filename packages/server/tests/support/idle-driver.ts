import type { Driver, DriverPlan, DriverResult } from "@slipway/drivers";

/** A driver that succeeds immediately and creates nothing, for tests that replace some of its parts. */
export class IdleDriver implements Driver {
  readonly name = "manual";

  async plan(_input: unknown, _log: unknown, _signal: AbortSignal): Promise<DriverPlan> {
    return { resources: [] };
  }

  async start(_build: unknown, _log: unknown, _signal: AbortSignal): Promise<DriverResult> {
    return { state: undefined, resources: [] };
  }

  async stop(): Promise<DriverResult> {
    return { state: undefined, resources: [] };
  }

  delete(): Promise<DriverResult> {
    return this.stop();
  }

  async observe(): Promise<{ readonly agents: [] }> {
    return { agents: [] };
  }
}
