import { abortable, type Clock } from "@slipway/runtime";

interface ReachedAgentsOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** Asks an agent for an answer, on behalf of all waiting callers; resolves to its address. */
  readonly ask: (agentId: string) => Promise<Uint8Array>;
}

/** The time for which an agent that has answered is not asked again. */
const freshMs = 30_000;

/** The agents that have answered recently, and those that are being asked. */
export class ReachedAgents {
  readonly #options: ReachedAgentsOptions;
  readonly #reached = new Map<string, { readonly address: Uint8Array; atMs: number }>();
  readonly #asking = new Map<string, Promise<Uint8Array>>();

  constructor(options: ReachedAgentsOptions) {
    this.#options = options;
  }

  /** Resolves to the address of an agent that answers. Throws as `ask` does, and the signal's reason. */
  async reach(agentId: string, signal: AbortSignal): Promise<Uint8Array> {
    const reached = this.#reached.get(agentId);
    const { clock } = this.#options;
    if (reached !== undefined && clock.monotonic() - reached.atMs < freshMs) return reached.address;
    return abortable(this.#asking.get(agentId) ?? this.#ask(agentId), signal);
  }

  /** Records that an agent has just answered. */
  note(agentId: string): void {
    const reached = this.#reached.get(agentId);
    if (reached !== undefined) reached.atMs = this.#options.clock.monotonic();
  }

  forget(agentId: string): void {
    this.#reached.delete(agentId);
  }

  async #ask(agentId: string): Promise<Uint8Array> {
    const { clock, ask } = this.#options;
    const asking = ask(agentId).finally(() => this.#asking.delete(agentId));
    this.#asking.set(agentId, asking);
    const address = await asking;
    this.#reached.set(agentId, { address, atMs: clock.monotonic() });
    return address;
  }
}
