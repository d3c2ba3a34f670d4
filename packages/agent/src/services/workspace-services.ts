import type { Clock, Logger } from "@slipway/runtime";
import type { RequestHandler } from "@slipway/tailnet/stack/tcp-layer";
import type { DatagramHandler } from "@slipway/tailnet/stack/udp-layer";

import type { SshSettings } from "../config/ssh-settings.ts";
import type { Service } from "../connections/accepted-connection.ts";
import { DescriptorBudget, descriptorLimit } from "../connections/descriptors.ts";
import {
  type ReportConnection,
  type SessionCounts,
  SessionLog,
} from "../connections/session-log.ts";
import type { ContainerFeature } from "../containers/container-feature.ts";
import { containerRoutes } from "../containers/container-routes.ts";
import { createTcpForwarder } from "../forward/tcp-forwarder.ts";
import { createUdpForwarder, type UdpForwarderOptions } from "../forward/udp-forwarder.ts";
import { createApiService } from "../http/api-service.ts";
import { baseRoutes, type BaseRoutesOptions } from "../http/base-routes.ts";
import { fileRoutes } from "../http/files/file-routes.ts";
import type { ApiRoute } from "../http/route.ts";
import type { CommandHost } from "../process/run-command.ts";
import { createTerminalService } from "../pty/terminal-service.ts";
import { processRoutes } from "../runs/process-routes.ts";
import { runRoutes } from "../runs/run-routes.ts";
import { Runs } from "../runs/runs.ts";
import type { HostNames } from "../ssh/host-key.ts";
import type { SshHost } from "../ssh/sessions/session-needs.ts";
import { createSshService } from "../ssh/ssh-service.ts";
import { createSpeedtestService } from "./serve-speedtest.ts";

/** The ports of the services (docs/protocol/tailnet.md §1.5). */
const ports = { ssh: 1, terminals: 2, speedtest: 3, api: 4, standardSsh: 22 } as const;

/** The options of the services. */
export interface ServicesOptions
  extends
    Pick<SshHost, "prepare" | "greeting">,
    Pick<BaseRoutesOptions, "home" | "ownPorts" | "netcheck"> {
  /** Returns the names of the workspace, from its latest manifest. */
  readonly names: () => HostNames;
  readonly commands: CommandHost;
  /** The directory of the agent's files. */
  readonly dataDir: string;
  readonly containers: ContainerFeature;
  readonly report: ReportConnection;
  readonly settings: SshSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

function apiRoutes(options: ServicesOptions, runs: Runs): readonly ApiRoute[] {
  const { home, clock, settings, containers } = options;
  return [
    ...baseRoutes(options),
    ...fileRoutes({ home, clock, isBlocked: settings.blockFileTransfer }),
    ...containerRoutes(containers),
    ...runRoutes({ runs, clock }),
    ...processRoutes({ runs, clock }),
  ];
}

/** The services of an agent for users over the network. Its opener closes it. */
export class WorkspaceServices implements Disposable {
  /** The services by their ports. */
  readonly byPort: ReadonlyMap<number, Service>;
  /** Forwards connections to all other ports; for `NetworkStack.forwardTcp`. */
  readonly forwardTcp: RequestHandler;
  /** The runs of users, which outlive connections. */
  readonly runs: Runs;
  readonly #sessions: SessionLog;
  readonly #stopping = new AbortController();
  readonly #descriptors = new DescriptorBudget(descriptorLimit());

  constructor(options: ServicesOptions) {
    const { names, report, clock, logger } = options;
    const { signal } = this.#stopping;
    this.#sessions = new SessionLog({ report, now: () => clock.now() });
    const descriptors = this.#descriptors;
    this.forwardTcp = createTcpForwarder(signal, descriptors.share());
    const runs = new Runs({ ...options, descriptors: descriptors.share() });
    this.runs = runs;
    const ssh = createSshService({
      host: { ...options, sessions: this.#sessions, descriptors },
      names,
      signal,
    });
    this.byPort = new Map([
      [ports.ssh, ssh],
      [ports.standardSsh, ssh],
      [
        ports.terminals,
        createTerminalService({
          ...options,
          sessions: this.#sessions,
          descriptors: descriptors.share(),
          signal,
        }),
      ],
      [ports.api, createApiService({ routes: apiRoutes(options, runs), logger, signal })],
      [ports.speedtest, createSpeedtestService({ clock, logger, signal })],
    ]);
  }

  /** Forwards datagrams; for `NetworkStack.forwardUdp`. `send` is `NetworkStack.sendUdp`. */
  forwardUdp(send: UdpForwarderOptions["send"]): DatagramHandler {
    const descriptors = this.#descriptors.share();
    return createUdpForwarder({ send, signal: this.#stopping.signal, descriptors });
  }

  /** The numbers of open sessions, by type. */
  get sessions(): SessionCounts {
    return this.#sessions.counts;
  }

  /** Ends all sessions and connections. Idempotent. */
  close(): void {
    this.#stopping.abort();
    this.runs.stop();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
