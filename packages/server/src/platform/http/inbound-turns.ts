import { LoopTurn } from "@slipway/runtime";

/** The time that requests and messages may take in a turn of the event loop before the rest of them waits. */
const maxTurnMs = 5;

/** A step of one connection's work; at most one of a connection waits at a time. */
type Step = () => void;

/**
 * Runs the work that clients cause in fair turns: immediately while a turn of the event loop has time, and otherwise in
 * later ones, a step for each client in rotation, so that a client with many connections delays no other.
 */
export class InboundTurns {
  readonly #turn: LoopTurn;
  /** The waiting steps by client, in the order of the clients' turns. */
  readonly #waiting = new Map<string, Set<Step>>();
  #isRunning = false;

  constructor(turn: LoopTurn = new LoopTurn(maxTurnMs)) {
    this.#turn = turn;
  }

  /** Runs a step of a client, immediately or when it is the client's turn. A step must be quick and not throw. */
  run(client: string, step: Step): void {
    if (this.#waiting.size === 0 && !this.#turn.isOver) return step();
    const steps = this.#waiting.get(client);
    if (steps === undefined) this.#waiting.set(client, new Set([step]));
    else steps.add(step);
    if (!this.#isRunning) this.#waitForTurn();
    return undefined;
  }

  /** Forgets a waiting step. */
  cancel(client: string, step: Step): void {
    const steps = this.#waiting.get(client);
    steps?.delete(step);
    if (steps?.size === 0) this.#waiting.delete(client);
  }

  #waitForTurn(): void {
    this.#isRunning = true;
    setImmediate(() => this.#continue());
  }

  #continue(): void {
    const next = this.#waiting.entries().next().value;
    if (next === undefined) {
      this.#isRunning = false;
      return;
    }
    if (this.#turn.isOver) return this.#waitForTurn();
    // The promises that the step started are part of its time: this runs after them.
    queueMicrotask(() => process.nextTick(() => this.#continue()));
    return this.#takeStep(...next)?.();
  }

  #takeStep(client: string, steps: Set<Step>): Step | undefined {
    const step = steps.values().next().value;
    if (step !== undefined) steps.delete(step);
    this.#waiting.delete(client);
    if (steps.size > 0) this.#waiting.set(client, steps);
    return step;
  }
}
