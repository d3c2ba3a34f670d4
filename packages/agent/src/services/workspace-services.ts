import type { Clock, Logger } from "@slipway/runtime";

import type { Service } from "../connections/accepted-connection.ts";
import {
  type ReportConnection,
  type SessionCounts,
  SessionLog,
} from "../connections/session-log.ts";
import type { CommandHost } from "../process/run-command.ts";
import { createSpeedtestService } from "../speedtest/serve-speedtest.ts";
import type { HostNames } from "../ssh/host-key.ts";
import type { SshHost, SshSettings } from "../ssh/ssh-host.ts";
import { createSshService } from "../ssh/ssh-service.ts";

/** The ports of the services (docs/protocol/tailnet.md §1.5). */
const ports = { ssh: 1, terminals: 2, speedtest: 3, api: 4, standardSsh: 22 } as const;

/** The workspace as its services need it. */
export interface ServicesOptions extends Pick<SshHost, "prepare" | "greeting"> {
  /** The names of the workspace by its newest manifest. */
  readonly names: () => HostNames;
  readonly commands: CommandHost;
  readonly report: ReportConnection;
  readonly settings: SshSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What an agent serves to those who reach it over the network. Whoever opens it closes it. */
export class WorkspaceServices implements Disposable {
  /** The services by their ports. All other ports are forwarded. */
  readonly byPort: ReadonlyMap<number, Service>;
  readonly #sessions: SessionLog;
  readonly #stopping = new AbortController();

  constructor(options: ServicesOptions) {
    const { names, report, clock, logger } = options;
    const { signal } = this.#stopping;
    this.#sessions = new SessionLog({ report, now: () => clock.now() });
    const ssh = createSshService({
      host: { ...options, sessions: this.#sessions },
      names,
      signal,
    });
    this.byPort = new Map([
      [ports.ssh, ssh],
      [ports.standardSsh, ssh],
      [ports.speedtest, createSpeedtestService({ clock, logger, signal })],
    ]);
  }

  /** The open sessions of each type. */
  get sessions(): SessionCounts {
    return this.#sessions.counts;
  }

  /** Ends all sessions and connections. Idempotent. */
  close(): void {
    this.#stopping.abort();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
