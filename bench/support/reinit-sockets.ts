import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import type { ReinitAnswer, ReinitEvent } from "@slipway/sdk/agent";

import { requestPlainly } from "./plain-request.ts";

const pollMs = 20;
const path = "/api/v2/workspaceagents/me/reinit?wait=true";

interface ReinitBody {
  readonly workspace_id: string;
  readonly owner_id: string;
  readonly reason: string;
}

/** The reinit streams of this process, each on a separate connection. */
export class ReinitSockets {
  readonly #open = new Set<Socket>();
  /** The opening times of streams since the last cut, by `performance.now`. */
  #openedAt: number[] = [];

  get count(): number {
    return this.#open.size;
  }

  /** Requests an event and waits for it. Rejects only with the signal's reason. */
  async wait(serverUrl: string, token: string, signal: AbortSignal): Promise<ReinitAnswer> {
    const headers = {
      Accept: "text/event-stream",
      "Coder-Session-Token": token,
      Connection: "close",
    };
    try {
      const { status, socket } = await requestPlainly({ serverUrl, path, headers, signal });
      if (status === 200) return await this.#waitOn(socket, signal);
      socket.destroy();
      return status === 409 ? { kind: "not-a-prebuild", message: "" } : { kind: "unauthorized" };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "ended", reason: String(error) };
    }
  }

  /** Waits until this many streams are open. */
  async until(count: number): Promise<void> {
    while (this.#open.size < count) await pause(pollMs);
  }

  /** Cuts all streams together; once as many are open again, resolves to the milliseconds that each took. */
  async cut(): Promise<readonly number[]> {
    const cut = [...this.#open];
    this.#openedAt = [];
    const cutAt = performance.now();
    for (const socket of cut) socket.destroy();
    while (this.#openedAt.length < cut.length) await pause(pollMs);
    return this.#openedAt.map((openedAt) => openedAt - cutAt);
  }

  async #waitOn(socket: Socket, signal: AbortSignal): Promise<ReinitAnswer> {
    this.#openedAt.push(performance.now());
    this.#open.add(socket);
    const event = await eventOn(socket);
    this.#open.delete(socket);
    signal.throwIfAborted();
    return event === undefined ? { kind: "ended", reason: "cut" } : { kind: "event", event };
  }
}

/** Reads the event of a stream; undefined if the stream closes without one. */
function eventOn(socket: Socket): Promise<ReinitEvent | undefined> {
  const { promise, resolve } = Promise.withResolvers<ReinitEvent | undefined>();
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    const json = /^data: (\{.*\})$/m.exec(text)?.[1];
    text = text.slice(text.lastIndexOf("\n") + 1);
    if (json === undefined) return;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the server that is measured
    const { workspace_id: workspaceId, owner_id: ownerId, reason } = JSON.parse(json) as ReinitBody;
    resolve({ workspaceId, ownerId, reason });
    socket.destroy();
  });
  socket.once("close", () => resolve(undefined));
  socket.resume();
  return promise;
}
