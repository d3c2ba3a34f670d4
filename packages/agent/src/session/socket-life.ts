import { RpcError } from "@slipway/rpc";
import { errorText, type Logger, whenAborted } from "@slipway/runtime";
import type { AgentConnection } from "@slipway/sdk/agent";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import type { UpdateAppStatusRequest } from "@slipway/wire/protobuf/gen/agent_pb";

import type { AgentSocketOptions } from "../socket/agent-socket.ts";
import { Units } from "../socket/units.ts";

/** Opens the agent's socket. Rejects if it cannot be opened. */
export type OpenSocket = (
  options: Pick<AgentSocketOptions, "state" | "logger">,
) => Promise<AsyncDisposable>;

interface SocketLifeNeeds {
  readonly open: OpenSocket;
  readonly logger: Logger;
}

/** The time for the server to store an app's status. */
const statusTimeoutMs = 30_000;

/** The agent's socket during a session, with its units. An agent that cannot open it runs without. */
export class SocketLife {
  readonly #needs: SocketLifeNeeds;
  #opened: Promise<AsyncDisposable | undefined> = Promise.resolve(undefined);
  #connection: AgentConnection | undefined;

  constructor(needs: SocketLifeNeeds) {
    this.#needs = needs;
  }

  /** Opens the socket. Call it once. */
  begin(): void {
    this.#opened = this.#open();
  }

  /** Forwards statuses of programs over a connection until the signal is aborted. */
  async run(connection: AgentConnection, signal: AbortSignal): Promise<void> {
    this.#connection = connection;
    try {
      await whenAborted(signal);
    } finally {
      if (this.#connection === connection) this.#connection = undefined;
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const socket = await this.#opened;
    await socket?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<AsyncDisposable | undefined> {
    const { open, logger } = this.#needs;
    const updateAppStatus = (status: UpdateAppStatusRequest): Promise<void> => this.#update(status);
    try {
      return await open({ state: { units: new Units(), updateAppStatus }, logger });
    } catch (error) {
      logger.warn({ error: errorText(error) }, "agent runs without its socket");
      return undefined;
    }
  }

  async #update(status: UpdateAppStatusRequest): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) throw new RpcError("agent not connected to the server");
    const signal = AbortSignal.timeout(statusTimeoutMs);
    await connection.unary(Agent.method.updateAppStatus, status, signal);
  }
}
