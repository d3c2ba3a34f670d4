import { abortable, type Clock, silentLogger } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";
import { PortForward } from "@slipway/sdk/node";

import { CommandError } from "../../command/errors.ts";

interface LocalPortNeeds {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly disableDirect: boolean;
}

/** A port of an agent. */
interface AgentPort {
  readonly agentId: string;
  readonly port: number;
}

/** The maximum number of ports that listen at the same time. */
const maxPorts = 64;

/** Local ports that lead to ports of workspaces, each opened once. Its opener disposes of it. */
export class LocalPorts implements AsyncDisposable {
  readonly #needs: LocalPortNeeds;
  readonly #opened = new AsyncDisposableStack();
  readonly #ports = new Map<string, Promise<number>>();

  constructor(needs: LocalPortNeeds) {
    this.#needs = needs;
  }

  /** Returns the local port that leads to a port of an agent. Throws if the agent cannot be reached. */
  async listen(target: AgentPort, signal: AbortSignal): Promise<number> {
    const key = `${target.agentId}:${target.port}`;
    const found = this.#ports.get(key);
    if (found !== undefined) return found;
    if (this.#ports.size >= maxPorts) {
      throw new CommandError(`${maxPorts} ports are forwarded already`);
    }
    const opening = this.#open(target, signal);
    this.#ports.set(key, opening);
    try {
      return await opening;
    } catch (error) {
      this.#ports.delete(key);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  async #open({ agentId, port }: AgentPort, signal: AbortSignal): Promise<number> {
    const { connectWorkspace, toDuplex } = await import("@slipway/sdk/workspace");
    await using opening = new AsyncDisposableStack();
    const options = { ...this.#needs, agentId, logger: silentLogger, signal };
    const connection = opening.use(await connectWorkspace(options));
    await connection.reach(signal);
    const listening = opening.use(
      await PortForward.open(
        { address: "127.0.0.1", localPort: 0, remotePort: port },
        {
          dial: async (to, ended) => toDuplex(await abortable(connection.dial(to, ended), ended)),
          // The program that connects learns of it by the end of its connection.
          report: () => undefined,
        },
      ),
    );
    const parts = opening.move();
    this.#opened.defer(() => parts.disposeAsync());
    return listening.localPort;
  }
}
