import { errorText, type Logger, withDeadline } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";

import type { ConnectionReport, SessionCounts } from "../connections/session-log.ts";
import type { CommandHost } from "../process/run-command.ts";
import type { KeepRun } from "../runs/leave-runs.ts";
import type { ServicesOptions, WorkspaceServices } from "../services/workspace-services.ts";
import type { Announcements } from "./announcements.ts";
import type { ContainerLife } from "./container-life.ts";
import { Outbox } from "./outbox.ts";
import { deliverReport, reportConnection } from "./report-calls.ts";
import type { Workspace } from "./workspace.ts";

/** The maximum number of undelivered reports; further ones are dropped (docs/protocol/agent.md §5.5). */
const maxReports = 2048;
/** The time to leave runs with the server at a stop. */
const leaveRunsMs = 10_000;

const noSessions: SessionCounts = {
  ssh: 0,
  vscode: 0,
  jetbrains: 0,
  "reconnecting-pty": 0,
  unknown: 0,
};

/** The service options that the opener of the network knows. */
export type NetworkSettings = Pick<ServicesOptions, "settings" | "ownPorts" | "netcheck" | "ping">;

interface ServedSessionsNeeds {
  readonly workspace: Workspace;
  readonly announcements: Pick<Announcements, "read">;
  readonly commands: CommandHost;
  readonly containers: Pick<ContainerLife, "feature">;
  /** The directory of the agent's files. */
  readonly dataDir: string;
  readonly logger: Logger;
}

/** The sessions of users over the network: the services, and the reports about them. */
export class ServedSessions {
  readonly #needs: ServedSessionsNeeds;
  readonly #reports: Outbox<ConnectionReport>;
  #services: WorkspaceServices | undefined;
  #isClosed = false;

  constructor(needs: ServedSessionsNeeds) {
    this.#needs = needs;
    this.#reports = new Outbox(maxReports, needs.commands.clock);
  }

  /** The numbers of open sessions, by type. */
  get counts(): SessionCounts {
    return this.#services?.sessions ?? noSessions;
  }

  /** Loads the services, which end with the agent's session. Resolves to undefined if that has ended. Call it once. */
  async open(network: NetworkSettings): Promise<WorkspaceServices | undefined> {
    const { workspace, announcements, commands, containers, dataDir, logger } = this.#needs;
    const [{ WorkspaceServices: Services }, { readGreeting }] = await Promise.all([
      import("../services/workspace-services.ts"),
      import("../ssh/sessions/greeting.ts"),
    ]);
    if (this.#isClosed) return undefined;
    const { home } = workspace.machine;
    this.#services = new Services({
      ...network,
      prepare: (text, variables) => workspace.prepare(text, variables),
      greeting: async () =>
        readGreeting({
          banners: await announcements.read(),
          motdPath: workspace.motdPath,
          home,
        }),
      names: () => workspace.names,
      containers: await containers.feature(),
      commands,
      dataDir,
      report: (report) => {
        if (!this.#reports.put(report)) logger.warn({ id: report.id }, "connection report dropped");
      },
      home,
      clock: commands.clock,
      logger,
    });
    return this.#services;
  }

  /** Ends all sessions; their reports are still delivered. */
  close(): void {
    this.#isClosed = true;
    this.#services?.close();
  }

  /** Leaves the runs of users with the server, once their processes have ended. Never rejects. */
  async leaveRuns(keep: KeepRun, signal: AbortSignal): Promise<void> {
    const runs = this.#services?.runs?.list() ?? [];
    if (runs.length === 0) return;
    const { commands, logger } = this.#needs;
    const { leaveRuns } = await import("../runs/leave-runs.ts");
    try {
      await withDeadline(leaveRunsMs, commands.clock, (limit) =>
        leaveRuns(runs, keep, AbortSignal.any([signal, limit])),
      );
    } catch (error) {
      logger.warn({ error: errorText(error) }, "cannot leave runs with the server");
    }
  }

  /** Forgets the runs of users, once their processes have ended. */
  async forgetRuns(): Promise<void> {
    await this.#services?.runs?.close();
  }

  /** Delivers reports over one connection, until the signal is aborted. */
  async report(connection: AgentConnection, signal: AbortSignal): Promise<void> {
    const { logger } = this.#needs;
    await this.#reports.run(
      (report, ended) =>
        deliverReport((limit) => reportConnection(connection, report, limit), {
          refusal: "connection report refused",
          fields: { id: report.id },
          logger,
          signal: ended,
        }),
      signal,
    );
  }

  /** Resolves once all reports are delivered, or the signal is aborted. */
  async reported(signal: AbortSignal): Promise<void> {
    await this.#reports.drained(signal);
  }
}
