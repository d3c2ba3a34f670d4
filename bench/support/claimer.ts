import type { ApiClient } from "@slipway/sdk/http";

import type { Findings } from "../findings.ts";
import { type Claim, claim } from "./claim.ts";
import { ClaimedAgents } from "./claimed-agents.ts";
import type { MeasuredPostgres } from "./measured-postgres.ts";
import { beginAtRate } from "./pacing.ts";
import { openPart } from "./part.ts";
import { openPool, type PrebuildPool } from "./prebuild-pool.ts";
import type { FleetReport, WaitingFleet } from "./waiting-fleet.ts";

/** The maximum size of a pool. */
const maxInstances = 1_000;

interface ClaimerNeeds {
  readonly client: ApiClient;
  readonly database: MeasuredPostgres;
  /** The number of prebuilds to claim. */
  readonly count: number;
}

/** Claims prebuilds while servers fail, and tells what became of those that were acknowledged. */
export class Claimer {
  readonly #needs: ClaimerNeeds;
  /** The pool of each claim. */
  readonly #pools: readonly PrebuildPool[];
  readonly #claimed: ClaimedAgents;
  #acknowledged: readonly Claim[] = [];

  private constructor(needs: ClaimerNeeds, pools: readonly PrebuildPool[], claimed: ClaimedAgents) {
    this.#needs = needs;
    this.#pools = pools;
    this.#claimed = claimed;
  }

  /** Fills as many pools as needed and connects the agents of their prebuilds, which end with `opened`. */
  static async open(opened: AsyncDisposableStack, needs: ClaimerNeeds): Promise<Claimer> {
    const { client, database, count } = needs;
    const claimed = new ClaimedAgents();
    const onReport = (reports: readonly FleetReport[]): void => reports.forEach(claimed.take);
    const args = [client.serverUrl, "agents"];
    const pools: PrebuildPool[] = [];
    while (pools.length < count) {
      const instances = Math.min(maxInstances, count - pools.length);
      const options = { name: `claimed-${pools.length}`, instances, startScript: "true" };
      const pool = await openPool(client, database, options);
      const fleet = openPart<WaitingFleet>(opened, "./waiting-fleet.ts", { args, onReport });
      const prebuilds = await pool.fill();
      await fleet.call(
        "join",
        prebuilds.map(({ token }) => token),
      );
      await pool.ready();
      pools.push(...prebuilds.map(() => pool));
    }
    return new Claimer(needs, pools, claimed);
  }

  /** Claims at a rate; a request whose server dies is not repeated. */
  async claim(perSecond: number): Promise<void> {
    const { client, count } = this.#needs;
    const made = await beginAtRate(perSecond, count, async (index) => {
      const pool = this.#pools[index];
      return pool === undefined ? undefined : claim(client, pool).catch(() => undefined);
    });
    this.#acknowledged = made.filter((one) => one !== undefined);
  }

  /** Waits until the agent of each acknowledged claim would run its owner's scripts, and records what was found. */
  async judge(findings: Findings): Promise<void> {
    const ids = this.#acknowledged.map(({ workspaceId }) => workspaceId);
    const begun = await Promise.allSettled(ids.map((id) => this.#claimed.started(id)));
    const rows = await this.#needs.database.query<{ readonly id: string; readonly claims: string }>(
      `select resource_id as id, count(*) as claims from audit_log
        where action = 'create' and resource_id = any($1) group by 1`,
      [ids],
    );
    const claims = new Map(rows.map((row) => [row.id, Number(row.claims)]));
    findings.note("claims sent", "claims", this.#needs.count);
    findings.note("claims acknowledged", "claims", ids.length);
    const missing = begun.filter(({ status }) => status === "rejected").length;
    findings.note("agents that did not begin for their owner", "agents", missing);
    findings.note("acknowledged claims lost", "claims", ids.filter((id) => !claims.has(id)).length);
    const twice = ids.length - new Set(ids).size + [...claims.values()].filter((n) => n > 1).length;
    findings.note("workspaces claimed twice", "workspaces", twice);
  }
}
