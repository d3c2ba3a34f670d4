import { errorText } from "@slipway/runtime";
import type { RequestHandler } from "@slipway/tailnet/stack/tcp-layer";
import type { DatagramHandler } from "@slipway/tailnet/stack/udp-layer";

import type { SshSettings } from "../config/ssh-settings.ts";
import type { AcceptedConnection, Service } from "../connections/accepted-connection.ts";
import { DescriptorBudget, descriptorLimit } from "../connections/descriptors.ts";
import {
  type ReportConnection,
  type SessionCounts,
  SessionLog,
} from "../connections/session-log.ts";
import { createTcpForwarder } from "../forward/tcp-forwarder.ts";
import { createUdpForwarder, type UdpForwarderOptions } from "../forward/udp-forwarder.ts";
import { createTerminalService } from "../pty/terminal-service.ts";
import type { Runs } from "../runs/runs.ts";
import type { HostNames } from "../ssh/host-key.ts";
import type { SshHost } from "../ssh/sessions/session-needs.ts";
import { createSshService } from "../ssh/ssh-service.ts";
import { createSpeedtestService } from "./serve-speedtest.ts";
import type { WorkspaceApi, WorkspaceApiOptions } from "./workspace-api.ts";

/** The ports of the services (docs/protocol/tailnet.md §1.5). */
const ports = { ssh: 1, terminals: 2, speedtest: 3, api: 4, standardSsh: 22 } as const;

/** The options of the services. */
export interface ServicesOptions
  extends Pick<SshHost, "prepare" | "greeting">, WorkspaceApiOptions {
  /** Returns the names of the workspace, from its latest manifest. */
  readonly names: () => HostNames;
  readonly report: ReportConnection;
  readonly settings: SshSettings;
}

/** The services of an agent for users over the network. Its opener closes it. */
export class WorkspaceServices implements Disposable {
  /** The services by their ports. */
  readonly byPort: ReadonlyMap<number, Service>;
  /** Forwards connections to all other ports; for `NetworkStack.forwardTcp`. */
  readonly forwardTcp: RequestHandler;
  readonly #options: ServicesOptions;
  readonly #sessions: SessionLog;
  readonly #stopping = new AbortController();
  readonly #descriptors = new DescriptorBudget(descriptorLimit());
  #api: WorkspaceApi | undefined;

  constructor(options: ServicesOptions) {
    const { names, report, clock, logger } = options;
    this.#options = options;
    const { signal } = this.#stopping;
    this.#sessions = new SessionLog({ report, now: () => clock.now() });
    const descriptors = this.#descriptors;
    this.forwardTcp = createTcpForwarder(signal, descriptors.share());
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
      [ports.api, { accept: (connection) => void this.#acceptApi(connection) }],
      [ports.speedtest, createSpeedtestService({ clock, logger, signal })],
    ]);
  }

  /** Forwards datagrams; for `NetworkStack.forwardUdp`. `send` is `NetworkStack.sendUdp`. */
  forwardUdp(send: UdpForwarderOptions["send"]): DatagramHandler {
    const descriptors = this.#descriptors.share();
    return createUdpForwarder({ send, signal: this.#stopping.signal, descriptors });
  }

  /** The runs of users, which outlive connections; undefined as long as none was started. */
  get runs(): Runs | undefined {
    return this.#api?.runs;
  }

  /** The numbers of open sessions, by type. */
  get sessions(): SessionCounts {
    return this.#sessions.counts;
  }

  /** Ends all sessions and connections. Idempotent. */
  close(): void {
    this.#stopping.abort();
    this.runs?.stop();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Accepts a connection to the HTTP API, which is loaded for the first one: most agents wait for none. */
  async #acceptApi(connection: AcceptedConnection): Promise<void> {
    connection.on("error", () => undefined);
    try {
      const { openWorkspaceApi } = await import("./workspace-api.ts");
      const { signal } = this.#stopping;
      if (signal.aborted) connection.destroy();
      if (connection.destroyed) return;
      this.#api ??= openWorkspaceApi(this.#options, {
        descriptors: this.#descriptors.share(),
        sessions: this.#sessions,
        signal,
      });
      this.#api.service.accept(connection);
    } catch (error) {
      this.#options.logger.error({ error: errorText(error) }, "cannot load the HTTP API");
      connection.destroy();
    }
  }
}
