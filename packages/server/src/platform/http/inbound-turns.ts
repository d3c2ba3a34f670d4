import { LoopTurn } from "@slipway/runtime";

/** The time that requests and messages may take in any turn of the event loop before the rest of them waits. */
const minTurnMs = 5;
/** The longest such time, in turns that are long anyway. */
const maxTurnMs = 50;

/**
 * Returns a function that returns the time for the next turn: half of what the last one took. On a busy server turns are
 * long, because of the database's answers, garbage collection and other processes; with a fixed time, messages would wait
 * for longer and longer.
 */
export function halfOfTurns(activeMs: () => number): () => number {
  let lastMs = activeMs();
  return () => {
    const nowMs = activeMs();
    const turnMs = nowMs - lastMs;
    lastMs = nowMs;
    return Math.min(maxTurnMs, Math.max(minTurnMs, turnMs / 2));
  };
}

/** Returns the time that the event loop has not waited, in milliseconds. */
function loopActiveMs(): number {
  return performance.eventLoopUtilization().active;
}

/** A step of one connection's work; at most one of a connection waits at a time. */
type Step = () => void;

/** The waiting steps of a client. */
interface Waiting {
  readonly steps: Set<Step>;
  /** The beginning of its wait for the next turn. */
  sinceMs: number;
}

/**
 * Runs the work that clients cause in fair turns: immediately while a turn of the event loop has time, and otherwise in
 * later ones, a step for each client in rotation, so that a client with many connections delays no other.
 */
export class InboundTurns {
  readonly #turn: LoopTurn;
  readonly #now: () => number;
  /** The waiting steps by client, in the order of the clients' turns. */
  readonly #waiting = new Map<string, Waiting>();
  #isRunning = false;

  constructor(
    turn: LoopTurn = new LoopTurn(halfOfTurns(loopActiveMs)),
    now: () => number = () => performance.now(),
  ) {
    this.#turn = turn;
    this.#now = now;
  }

  /** Runs a step of a client, immediately or when it is the client's turn. A step must be quick and not throw. */
  run(client: string, step: Step): void {
    if (this.#waiting.size === 0 && !this.#turn.isOver) return step();
    const waiting = this.#waiting.get(client);
    if (waiting === undefined) this.#wait(client, new Set([step]));
    else waiting.steps.add(step);
    if (!this.#isRunning) this.#waitForTurn();
    return undefined;
  }

  /** Forgets a waiting step. */
  cancel(client: string, step: Step): void {
    const steps = this.#waiting.get(client)?.steps;
    steps?.delete(step);
    if (steps?.size === 0) this.#waiting.delete(client);
  }

  /**
   * The time that the client whose turn is next has waited for it, in milliseconds; 0 if none waits. A client with many
   * steps makes it no longer.
   */
  get delayMs(): number {
    const next = this.#waiting.values().next().value;
    return next === undefined ? 0 : this.#now() - next.sinceMs;
  }

  #wait(client: string, steps: Set<Step>): void {
    this.#waiting.set(client, { steps, sinceMs: this.#now() });
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

  #takeStep(client: string, { steps }: Waiting): Step | undefined {
    const step = steps.values().next().value;
    if (step !== undefined) steps.delete(step);
    this.#waiting.delete(client);
    if (steps.size > 0) this.#wait(client, steps);
    return step;
  }
}
