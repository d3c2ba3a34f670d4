import { maxReceivedCost, maxReceivedCostPerSender, receivedCostBytes } from "./limits.ts";

/** The share of each turn of the event loop that a peer spends on received data; a `LoopTurn` is one. */
export interface ReceiveTurn {
  /** True once the rest should wait. */
  readonly isOver: boolean;
  /** Calls `act` in the next turn. */
  next(act: () => void): void;
}

/** Takes ownership of the datagrams of one sender. */
type Take = (datagrams: readonly Uint8Array[]) => void;

/** Datagrams that arrived together. */
interface Batch {
  readonly datagrams: readonly Uint8Array[];
  readonly take: Take;
}

/** The waiting batches of one sender. */
interface Line {
  readonly batches: Batch[];
  cost: number;
}

/** The cost of the datagrams handled between two checks of the turn: all that a UDP socket hands over together. */
const sliceCostBytes = 64 * 1024;
/** The cost that a sender may always have waiting: a few of its longest datagrams. */
const leastCostPerSender = 32 * 1024;

/**
 * Hands on what arrives, before any of it is decrypted: immediately while the turn lasts, and otherwise in later
 * turns, a slice of each sender in rotation. Each datagram costs processor time apart from its bytes, so a sender of
 * tiny ones delays only itself. A sender's excess is dropped, as by any network.
 */
export class ReceivedTurns {
  readonly #turn: ReceiveTurn | undefined;
  /** The lines by sender, in the order of their next slices. */
  readonly #lines = new Map<string, Line>();
  #cost = 0;
  #dropped = 0;
  #isNextDue = false;

  /** Without a turn, everything is handed on immediately. */
  constructor(turn: ReceiveTurn | undefined) {
    this.#turn = turn;
  }

  /** The number of dropped datagrams. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The cost of what waits, in bytes. */
  get waitingCost(): number {
    return this.#cost;
  }

  /** Hands the datagrams of a sender to `take`, which then owns them, or queues them. */
  receive(sender: string, datagrams: readonly Uint8Array[], take: Take): void {
    const turn = this.#turn;
    if (turn === undefined) return take(datagrams);
    let rest = datagrams;
    while (this.#lines.size === 0 && rest.length > 0 && !turn.isOver) {
      const count = countOfSlice(rest);
      take(count === rest.length ? rest : rest.slice(0, count));
      rest = rest.slice(count);
    }
    return this.#add(sender, rest, take);
  }

  clear(): void {
    this.#lines.clear();
    this.#cost = 0;
  }

  #add(sender: string, datagrams: readonly Uint8Array[], take: Take): void {
    const line = this.#lines.get(sender) ?? { batches: [], cost: 0 };
    const room = Math.max(
      leastCostPerSender,
      Math.min(maxReceivedCostPerSender, maxReceivedCost - this.#cost),
    );
    const kept: Uint8Array[] = [];
    for (const datagram of datagrams) {
      const cost = costOf(datagram);
      if (line.cost + cost > room) break;
      // Otherwise a small datagram would keep alive the whole chunk in which it came.
      kept.push(Uint8Array.from(datagram));
      line.cost += cost;
      this.#cost += cost;
    }
    this.#dropped += datagrams.length - kept.length;
    if (kept.length === 0) return;
    line.batches.push({ datagrams: kept, take });
    this.#lines.set(sender, line);
    this.#continueNext();
  }

  #continueNext(): void {
    if (this.#isNextDue) return;
    this.#isNextDue = true;
    this.#turn?.next(() => {
      this.#isNextDue = false;
      this.#continue();
    });
  }

  #continue(): void {
    while (this.#turn?.isOver === false) {
      const next = this.#lines.entries().next().value;
      if (next === undefined) return;
      const [sender, line] = next;
      this.#lines.delete(sender);
      const slice = this.#takeSlice(line);
      if (line.batches.length > 0) this.#lines.set(sender, line);
      slice?.take(slice.datagrams);
    }
    if (this.#lines.size > 0) this.#continueNext();
  }

  #takeSlice(line: Line): Batch | undefined {
    const [batch] = line.batches;
    if (batch === undefined) return undefined;
    const { datagrams, take } = batch;
    const count = countOfSlice(datagrams);
    const slice = datagrams.slice(0, count);
    if (count === datagrams.length) line.batches.shift();
    else line.batches[0] = { datagrams: datagrams.slice(count), take };
    const cost = slice.reduce((sum, datagram) => sum + costOf(datagram), 0);
    line.cost -= cost;
    this.#cost -= cost;
    return { datagrams: slice, take };
  }
}

function costOf({ length }: Uint8Array): number {
  return length + receivedCostBytes;
}

/** Returns the number of datagrams in a slice: at least one. */
function countOfSlice(datagrams: readonly Uint8Array[]): number {
  let cost = 0;
  const end = datagrams.findIndex((datagram) => {
    cost += costOf(datagram);
    return cost > sliceCostBytes;
  });
  return end === -1 ? datagrams.length : Math.max(end, 1);
}
