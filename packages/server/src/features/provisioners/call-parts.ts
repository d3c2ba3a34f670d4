import type { PartName, PieceMessage } from "./session-messages.ts";

const mebibyte = 1024 * 1024;

/** The sizes of parts, in bytes: a lock file in the notes is as large as a driver reads it. */
const maxPartBytes = {
  input: 16 * mebibyte,
  archive: 64 * mebibyte,
  notes: 16 * mebibyte,
} as const satisfies Readonly<Record<Exclude<PartName, keyof CallSizes>, number>>;

/** The sizes of the parts in which calls differ, in bytes. */
export interface CallSizes {
  /** The largest state that takes no separate room. */
  readonly state: number;
  readonly result: number;
}

export const usualSizes: CallSizes = { state: 16 * mebibyte, result: 8 * mebibyte };
/** The sizes of a call for a form, whose result goes into a row, through another server and to a person who waits. */
export const parametersSizes: CallSizes = { ...usualSizes, result: 2 * mebibyte };
/** The size of a state that fails its build, and is kept all the same so that what it names can be removed. */
export const largeStateBytes = 64 * mebibyte;
const maxPieces = 4_096;

/** The time in which a large state must have come and be kept. */
const roomMs = 300_000;

/** The limits of the parts that all sessions together hold. */
export interface BudgetLimits {
  readonly maxBytes: number;
  /** The number of large states at the same time, which do not count in the bytes. */
  readonly maxRooms: number;
}

/** Room for a large state. */
interface Room {
  readonly takenAtMs: number;
  readonly onOverdue: () => void;
}

/** Counts the parts that all sessions of a server hold. */
export class PartBudget {
  readonly #limits: BudgetLimits;
  readonly #rooms = new Set<Room>();
  #bytes = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Takes bytes, if there are as many. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Takes room for a large state; undefined if there is none. `onOverdue` is called when others need it and its time is over. */
  takeRoom(nowMs: number, onOverdue: () => void): Disposable | undefined {
    for (const one of this.#rooms) {
      if (nowMs - one.takenAtMs <= roomMs) continue;
      this.#rooms.delete(one);
      one.onOverdue();
    }
    if (this.#rooms.size >= this.#limits.maxRooms) return undefined;
    const room = { takenAtMs: nowMs, onOverdue };
    this.#rooms.add(room);
    return { [Symbol.dispose]: () => void this.#rooms.delete(room) };
  }
}

interface ArrivingPart {
  readonly pieces: Buffer[];
  bytes: number;
  /** The bytes that it has of the budget. */
  budgetBytes: number;
}

/** The parts of one call that arrive in pieces. Its owner disposes of it. */
export class CallParts implements Disposable {
  readonly #budget: PartBudget;
  readonly #parts = new Map<PartName, ArrivingPart>();
  readonly #sizes: CallSizes;
  #room: Disposable | undefined;

  constructor(budget: PartBudget, sizes: CallSizes) {
    this.#budget = budget;
    this.#sizes = sizes;
  }

  /** Adds a piece; returns the problem with it, if it does not fit. */
  add({ part, data }: PieceMessage): string | undefined {
    const piece = Buffer.from(data, "base64");
    const found = this.#parts.get(part) ?? { pieces: [], bytes: 0, budgetBytes: 0 };
    const bytes = found.bytes + piece.length;
    const hasRoom = part === "state" && this.#room !== undefined;
    const maxBytes = this.#maxBytesOf(part, hasRoom);
    if (bytes > maxBytes) return `the ${part} has more than ${maxBytes} bytes`;
    if (found.pieces.length >= maxPieces) return `the ${part} has more than ${maxPieces} pieces`;
    if (!hasRoom) {
      if (!this.#budget.take(piece.length)) {
        return "provisioners send too much to this server at the same time: try again later";
      }
      found.budgetBytes += piece.length;
    }
    found.pieces.push(piece);
    found.bytes = bytes;
    this.#parts.set(part, found);
    return undefined;
  }

  /** Takes room for a large state, if there is any; it is given back with `leaveRoom`. */
  takeRoom(nowMs: number, onOverdue: () => void): boolean {
    this.#room ??= this.#budget.takeRoom(nowMs, onOverdue);
    return this.#room !== undefined;
  }

  /** Gives the room back, with what has come into it and was not taken out. */
  leaveRoom(): void {
    if (this.#room === undefined) return;
    this.#room[Symbol.dispose]();
    this.#room = undefined;
    this.take("state");
  }

  /** Takes a part out; undefined if no piece of it came. */
  take(part: PartName): Buffer | undefined {
    const found = this.#parts.get(part);
    if (found === undefined) return undefined;
    this.#parts.delete(part);
    this.#budget.give(found.budgetBytes);
    return Buffer.concat(found.pieces);
  }

  [Symbol.dispose](): void {
    for (const { budgetBytes } of this.#parts.values()) this.#budget.give(budgetBytes);
    this.#parts.clear();
    this.leaveRoom();
  }

  #maxBytesOf(part: PartName, hasRoom: boolean): number {
    if (part === "state") return hasRoom ? largeStateBytes : this.#sizes.state;
    return part === "result" ? this.#sizes.result : maxPartBytes[part];
  }
}
