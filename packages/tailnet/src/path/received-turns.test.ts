import { expect, it } from "vitest";

import { maxReceivedCost, maxReceivedCostPerSender, receivedCostBytes } from "./limits.ts";
import { ReceivedTurns, type ReceiveTurn } from "./received-turns.ts";

/** A turn that lasts for this many checks. */
class FakeTurn implements ReceiveTurn {
  looksPerTurn: number;
  #looks: number;
  readonly #next: (() => void)[] = [];

  constructor(looksPerTurn: number) {
    this.looksPerTurn = looksPerTurn;
    this.#looks = looksPerTurn;
  }

  get isOver(): boolean {
    this.#looks -= 1;
    return this.#looks < 0;
  }

  next(act: () => void): void {
    this.#next.push(act);
  }

  /** Starts the next turn; returns whether it had work. */
  pass(): boolean {
    this.#looks = this.looksPerTurn;
    const acts = this.#next.splice(0);
    for (const act of acts) act();
    return acts.length > 0;
  }
}

const tiny = (count: number): Uint8Array[] => Array.from({ length: count }, () => Uint8Array.of(7));

it("hands on everything at once without a turn", () => {
  const turns = new ReceivedTurns(undefined);
  const datagrams = tiny(10_000);
  const taken: (readonly Uint8Array[])[] = [];
  turns.receive("one", datagrams, (some) => taken.push(some));
  expect(taken).toEqual([datagrams]);
});

it("hands on slices until the turn is over, and the rest in later turns, in order", () => {
  const turn = new FakeTurn(2);
  const turns = new ReceivedTurns(turn);
  const taken: number[][] = [];
  const datagrams = Array.from({ length: 400 }, (_, index) => Uint8Array.of(index % 256));
  turns.receive("one", datagrams, (some) => taken.push(some.map(([byte = -1]) => byte)));
  expect(taken).toHaveLength(2);
  const perSlice = taken[0]?.length ?? 0;
  expect(perSlice).toBeLessThanOrEqual((64 * 1024) / receivedCostBytes);
  turns.receive("one", [Uint8Array.of(255)], (some) => taken.push(some.map(([byte = -1]) => byte)));
  expect(taken).toHaveLength(2);
  while (turn.pass()) expect(taken.length % 2 === 0 || turns.waitingCost === 0).toBe(true);
  expect(taken.flat()).toEqual([...datagrams.map(([byte]) => byte), 255]);
  expect([turns.waitingCost, turns.dropped]).toEqual([0, 0]);
});

it("counts the bytes of long datagrams too", () => {
  const turns = new ReceivedTurns(new FakeTurn(Infinity));
  const counts: number[] = [];
  const datagrams = Array.from({ length: 40 }, () => new Uint8Array(1_300));
  turns.receive("one", datagrams, (some) => counts.push(some.length));
  expect(Math.max(...counts)).toBe(Math.floor((64 * 1024) / (1_300 + receivedCostBytes)));
});

it("lets senders take turns, so that a flood delays another by one slice of its own", () => {
  const turn = new FakeTurn(1);
  const turns = new ReceivedTurns(turn);
  const taken: string[] = [];
  const take = (sender: string) => () => void taken.push(sender);
  turns.receive("flood", tiny(2_000), take("flood"));
  turns.receive("other", tiny(1), take("other"));
  turn.pass();
  turn.pass();
  expect(taken).toEqual(["flood", "flood", "other"]);
  turns.receive("third", tiny(1), take("third"));
  turn.pass();
  turn.pass();
  expect(taken.slice(3)).toEqual(["flood", "third"]);
});

it("drops what a sender has too much of, and nothing of others", () => {
  const turn = new FakeTurn(0);
  const turns = new ReceivedTurns(turn);
  const count = Math.floor(maxReceivedCostPerSender / (receivedCostBytes + 1));
  turns.receive("flood", tiny(count + 10), () => undefined);
  expect(turns.dropped).toBe(10);
  turns.receive("other", tiny(1), () => undefined);
  expect(turns.dropped).toBe(10);
  expect(turns.waitingCost).toBe((count + 1) * (receivedCostBytes + 1));
});

it("leaves each of many senders a little when all of them are too many", () => {
  const turns = new ReceivedTurns(new FakeTurn(0));
  const floods = 12;
  for (let sender = 0; sender < floods; sender += 1) {
    turns.receive(`flood ${sender}`, tiny(8_200), () => undefined);
  }
  expect(turns.waitingCost).toBeLessThan(maxReceivedCost + floods * 32 * 1024);
  const { dropped } = turns;
  turns.receive("other", tiny(50), () => undefined);
  expect(turns.dropped).toBe(dropped);
});

it("keeps no more than it counts: not the chunk in which a datagram came", () => {
  const turn = new FakeTurn(1);
  const turns = new ReceivedTurns(turn);
  const chunk = new Uint8Array(64 * 1024);
  const taken: Uint8Array[] = [];
  turns.receive("one", tiny(1), () => undefined);
  turns.receive("one", [chunk.subarray(1, 3)], (some) => taken.push(...some));
  turn.pass();
  expect(taken.map(({ buffer }) => buffer.byteLength)).toEqual([2]);
});

it("forgets what waits when it is cleared", () => {
  const turn = new FakeTurn(0);
  const turns = new ReceivedTurns(turn);
  const taken: unknown[] = [];
  turns.receive("one", tiny(5), (some) => taken.push(some));
  turns.clear();
  expect(turns.waitingCost).toBe(0);
  turn.looksPerTurn = 5;
  turn.pass();
  expect(taken).toEqual([]);
});
