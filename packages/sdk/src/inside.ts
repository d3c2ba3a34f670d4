import { once } from "node:events";
import { lstat } from "node:fs/promises";
import { connect, type Socket } from "node:net";

import { abortable, CodedError } from "@slipway/runtime";
import { DrpcCaller } from "@slipway/wire/drpc/caller";
import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@slipway/wire/protobuf/descriptors";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { AgentSocket } from "@slipway/wire/protobuf/gen/agent-socket_pb";
import { encodeMessage, parseMessage } from "@slipway/wire/protobuf/message";

/** The path of the socket that agents have by default (docs/protocol/agent.md §10). */
export const defaultAgentSocketPath = "/tmp/coder-agent.sock";

/** A unit, and whether it may start. */
export interface SyncUnit {
  readonly unit: string;
  /** Empty for an unknown unit, else `pending`, `started` or `completed`. */
  readonly status: string;
  readonly isReady: boolean;
}

export interface SyncDependency {
  readonly dependsOn: string;
  readonly requiredStatus: string;
  readonly currentStatus: string;
  readonly isSatisfied: boolean;
}

export interface SyncUnitStatus extends SyncUnit {
  readonly dependencies: readonly SyncDependency[];
}

const { method } = AgentSocket;

/**
 * A connection of a program to the agent of its workspace, for one call at a time. Calls throw `RefusedCallError`,
 * `AgentSocketError` and the signal's reason. Its opener disposes of it.
 */
export class AgentSocketClient implements Disposable {
  readonly #socket: Socket;
  readonly #caller = new DrpcCaller();

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects to a socket that belongs to this user or to root. Throws `AgentSocketError`. */
  static async connect(path: string, signal: AbortSignal): Promise<AgentSocketClient> {
    await requireOwn(path);
    const socket = connect(path);
    try {
      await once(socket, "connect", { signal });
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      throw new AgentSocketError("no-agent", `no agent listens on ${path}`, { cause: error });
    }
    // Calls see it as the end of the stream.
    socket.on("error", () => undefined);
    return new AgentSocketClient(socket);
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#call(method.ping, {}, signal);
  }

  /** Declares that a unit waits for another to complete. */
  async want(unit: string, dependsOn: string, signal: AbortSignal): Promise<void> {
    await this.#call(method.syncWant, { unit, dependsOn }, signal);
  }

  async start(unit: string, signal: AbortSignal): Promise<void> {
    await this.#call(method.syncStart, { unit }, signal);
  }

  async complete(unit: string, signal: AbortSignal): Promise<void> {
    await this.#call(method.syncComplete, { unit }, signal);
  }

  async status(unit: string, signal: AbortSignal): Promise<SyncUnitStatus> {
    const { status, isReady, dependencies } = await this.#call(method.syncStatus, { unit }, signal);
    return { unit, status, isReady, dependencies };
  }

  async list(signal: AbortSignal): Promise<readonly SyncUnit[]> {
    return (await this.#call(method.syncList, {}, signal)).units;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #call<I extends DescMessage, O extends DescMessage>(
    called: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    const caller = this.#caller;
    this.#socket.write(caller.invoke(rpcPath(called)));
    this.#socket.write(caller.message(encodeMessage(called.input, request)));
    this.#socket.write(caller.closeSend());
    return parseMessage(called.output, await abortable(this.#answer(), signal));
  }

  async #answer(): Promise<Uint8Array> {
    let answer: Uint8Array | undefined;
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      for (const event of this.#caller.receive(chunk)) {
        if (event.type === "error") throw new RefusedCallError(event.message);
        if (event.type === "message") answer = event.bytes;
        else if (answer !== undefined) return answer;
      }
    }
    throw new AgentSocketError("closed", "the agent ended the connection");
  }
}

/** Refuses a socket that another user has put in the place of the agent's. */
async function requireOwn(path: string): Promise<void> {
  let owner: number;
  try {
    owner = (await lstat(path)).uid;
  } catch (error) {
    throw new AgentSocketError("no-agent", `no agent listens on ${path}`, { cause: error });
  }
  if (owner === 0 || owner === process.geteuid?.()) return;
  throw new AgentSocketError("not-ours", `${path} belongs to another user`);
}

/**
 * A failure to call the agent of this workspace over its socket: nothing listens there, the file belongs to another
 * user, or the agent ended the connection.
 */
export class AgentSocketError extends CodedError<"no-agent" | "not-ours" | "closed"> {
  override readonly name = "AgentSocketError";
}

/** A call that the agent refused; the message says why. */
export class RefusedCallError extends Error {
  override readonly name = "RefusedCallError";
  readonly code = "refused";
}
