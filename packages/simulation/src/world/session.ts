import { RpcError, SessionClosedError } from "@slipway/rpc";
import { DialError } from "@slipway/sdk/agent";

import type { Life } from "../engine/life.ts";
import type { ClientEnd } from "../network/link.ts";
import type { AgentCall, SimulatedManifest } from "../network/messages.ts";

/** The silence after which a peer counts as gone, in milliseconds: the keep-alive timeout of the session. */
const silenceMs = 40_000;

/** An agent's session: calls by id over a connection that may fail at any moment. */
export class Session {
  readonly #life: Life;
  readonly #end: ClientEnd;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #lost = Promise.withResolvers<never>();
  readonly opened = Promise.withResolvers<void>();
  readonly closed = Promise.withResolvers<string>();
  #nextId = 1;

  constructor(life: Life, end: ClientEnd) {
    this.#life = life;
    this.#end = end;
    this.#lost.promise.catch(() => undefined);
    end.closed.addEventListener("abort", () => this.#lose("connection lost"), { once: true });
    end.receive((message) => {
      switch (message.type) {
        case "status":
          if (message.status === 200) this.opened.resolve();
          else this.opened.reject(refusal(message.status));
          break;
        case "answer":
          this.#calls.get(message.id)?.resolve(message.value);
          break;
        case "failure":
          this.#calls.get(message.id)?.reject(new RpcError(message.message));
          break;
        case "ping":
        case "frame":
          break;
      }
    });
    const silence = life.after(silenceMs, () =>
      this.opened.reject(new DialError("tcp", "silence")),
    );
    void this.opened.promise.then(() => silence[Symbol.dispose]()).catch(() => this.close());
  }

  async manifest(): Promise<SimulatedManifest> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the simulated server's answer to this
    return (await this.call({ method: "manifest" })) as SimulatedManifest;
  }

  async call(asked: AgentCall): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#calls.set(id, answer);
    this.#end.send({ type: "call", id, ...asked });
    const silence = this.#life.after(silenceMs, () => this.#lose("no answer"));
    try {
      return await Promise.race([answer.promise, this.#lost.promise]);
    } finally {
      silence[Symbol.dispose]();
      this.#calls.delete(id);
    }
  }

  close(): void {
    this.#lose("closed");
  }

  #lose(reason: string): void {
    this.#end.close();
    this.closed.resolve(reason);
    this.opened.reject(new DialError("http", reason));
    this.#lost.reject(new SessionClosedError(reason));
  }
}

function refusal(status: number): DialError {
  return new DialError(status === 401 ? "authentication" : "http", `status ${status}`, { status });
}
