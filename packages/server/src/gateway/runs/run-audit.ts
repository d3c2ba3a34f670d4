import { type Clock, errorText, type Logger, printableLine, Scope } from "@slipway/runtime";

import { type AuditEntry, insertAuditEntries } from "../../features/audit/service.ts";
import type { Database } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import type { RunPlace } from "./run-access.ts";

/** The time for entries to gather, so that many short commands cost one statement. */
const gatherMs = 50;
/** The maximum number of entries that wait; a start waits for room. */
const maxWaiting = 2_000;
/** The maximum number of characters of a command. */
const maxCommandLength = 500;

interface RunAuditNeeds {
  readonly db: Database;
  readonly clock: Pick<Clock, "sleep">;
  readonly logger: Logger;
}

/** A started run, without its environment and input. */
interface StartedRun {
  readonly runId: string;
  /** The instance of the agent, for a run whose id the request chose: it may come again, and is recorded once. */
  readonly chosenFor: string | undefined;
  readonly command: string;
  readonly user: string;
}

/** Records who started which command. Entries are written together, a moment later. */
export class RunAudit implements AsyncDisposable {
  readonly #needs: RunAuditNeeds;
  readonly #writing = new Scope();
  #waiting: AuditEntry[] = [];
  #written: Promise<void> | undefined;

  constructor(needs: RunAuditNeeds) {
    this.#needs = needs;
  }

  /** Records a start; waits only if too many entries wait. */
  async started(by: UserCaller, place: RunPlace, run: StartedRun): Promise<void> {
    this.#waiting.push({
      by,
      organizationId: place.organizationId,
      action: "start",
      resourceType: "workspace_agent",
      resourceId: place.agentId,
      target: place.agentName,
      diff: {},
      fields: {
        workspace_name: place.workspaceName,
        run_id: run.runId,
        ...(run.chosenFor === undefined ? {} : { instance_id: run.chosenFor }),
        command: printableLine(run.command.slice(0, maxCommandLength)),
        run_as: printableLine(run.user),
      },
    });
    const written = (this.#written ??= this.#writeSoon());
    if (this.#waiting.length > maxWaiting) await written;
  }

  /** Waits until everything is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.join();
  }

  #writeSoon(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writing.run(async (signal) => {
      await this.#needs.clock.sleep(gatherMs, signal).catch(() => undefined);
      const entries = this.#waiting;
      this.#waiting = [];
      this.#written = undefined;
      try {
        await insertAuditEntries(this.#needs.db, entries);
      } catch (error) {
        const lost = { error: errorText(error), entries: entries.length };
        this.#needs.logger.error(lost, "audit entries lost");
      } finally {
        resolve();
      }
    });
    return promise;
  }
}
