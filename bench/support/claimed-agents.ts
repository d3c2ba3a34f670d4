import { setTimeout as pause } from "node:timers/promises";

import type { FleetReport } from "./waiting-fleet.ts";

/** The time at which an agent learned of its new owner, by `wallMs`. */
export interface ClaimedAgent {
  readonly frameAtMs: number;
  readonly manifestAtMs: number;
  readonly startAtMs: number;
}

const pollMs = 20;
const limitMs = 120_000;

/** The reports of fleets about the agents of workspaces. */
export class ClaimedAgents {
  readonly #frames = new Map<string, number>();
  readonly #starts = new Map<string, Omit<ClaimedAgent, "frameAtMs">>();

  readonly take = (report: FleetReport): void => {
    const { kind, workspaceId, atMs } = report;
    if (kind === "frame") this.#frames.set(workspaceId, atMs);
    else this.#starts.set(workspaceId, { manifestAtMs: report.manifestAtMs, startAtMs: atMs });
  };

  /** Waits until the agent of a workspace has received its frame; resolves to that time. */
  framed(workspaceId: string): Promise<number> {
    return until(() => this.#frames.get(workspaceId));
  }

  /**
   * Waits until the agent of a workspace would run its new owner's scripts. One whose connection was lost meanwhile
   * learns of its owner by connecting again, without a frame.
   */
  started(workspaceId: string): Promise<Omit<ClaimedAgent, "frameAtMs">> {
    return until(() => this.#starts.get(workspaceId));
  }

  /** Waits for both. */
  async begun(workspaceId: string): Promise<ClaimedAgent> {
    const frameAtMs = await this.framed(workspaceId);
    return { frameAtMs, ...(await this.started(workspaceId)) };
  }
}

async function until<T>(look: () => T | undefined): Promise<T> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > endsAt)
      throw new Error(`a claim did not reach its agent in ${limitMs} ms`);
    await pause(pollMs);
  }
}
