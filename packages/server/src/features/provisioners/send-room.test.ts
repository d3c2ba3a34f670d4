import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { type Sending, SendRoom } from "./send-room.ts";

const { signal: never } = new AbortController();
const secondMs = 1_000;
const limits = { maxBytes: 256, maxCallBytes: 96 };

interface Call {
  readonly keyId: string;
  sending: Sending | undefined;
  isSlow: boolean;
  /** The times that it was told so. */
  told: number;
  readonly end: (error?: Error) => void;
  readonly done: Promise<unknown>;
}

/** Room for calls; their bytes are numbers only, so the sizes are small. */
function open({ maxBytes, maxCallBytes } = limits) {
  const clock = createFakeClock();
  const room = new SendRoom({ maxBytes, maxCallBytes }, clock);
  /** Those that have entered, in order. */
  const inside: Call[] = [];
  const ask = async (keyId: string, signal = never): Promise<Call> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
    const onSlow = (): void => {
      call.isSlow = true;
      call.told += 1;
    };
    const entered = room.run({ keyId, onSlow }, signal, async (sending) => {
      call.sending = sending;
      inside.push(call);
      await promise;
    });
    const done = entered.then(
      () => "ended",
      (error: unknown) => error,
    );
    const call: Call = { keyId, sending: undefined, isSlow: false, told: 0, end, done };
    await new Promise(setImmediate);
    return call;
  };
  /** Asks, and begins with a number of bytes. */
  const begin = async (keyId: string, bytes: number): Promise<Call> => {
    const call = await ask(keyId);
    if (call.sending === undefined) throw new Error(`${keyId} has to wait`);
    call.sending.begin(bytes);
    return call;
  };
  const keys = (): readonly string[] => inside.map(({ keyId }) => keyId);
  return { clock, ask, begin, keys };
}

describe("the room for calls to provisioners", () => {
  it("takes the most that a call may have until its bytes are known", async () => {
    const { ask, keys } = open();
    const first = await ask("a");
    await ask("b");
    const third = await ask("c");
    expect(keys()).toEqual(["a", "b"]);
    first.sending?.begin(64);
    await new Promise(setImmediate);
    expect(keys()).toEqual(["a", "b", "c"]);
    expect(third.isSlow).toBe(false);
  });

  it("is given back at the end of a call, also of one that fails", async () => {
    const { ask, begin, keys } = open();
    const first = await begin("a", 96);
    const second = await begin("b", 96);
    await ask("c");
    expect(keys()).toEqual(["a", "b"]);
    second.end(new Error("lost"));
    expect(await second.done).toMatchObject({ message: "lost" });
    await ask("d");
    expect(keys()).toEqual(["a", "b", "c"]);
    first.end();
    expect(await first.done).toBe("ended");
    await new Promise(setImmediate);
    expect(keys()).toEqual(["a", "b", "c", "d"]);
  });

  it("has at most half of what others leave for one key, so that another key need not wait", async () => {
    const { ask, begin, keys } = open();
    for (let count = 0; count < 4; count += 1) await begin("a", 10);
    await ask("a");
    expect(keys()).toEqual(["a", "a", "a", "a"]);
    await begin("b", 10);
    await ask("c");
    expect(keys()).toEqual(["a", "a", "a", "a", "b", "c"]);
  });

  it("counts what other keys hold before it is halved", async () => {
    const { ask, begin, keys } = open();
    await begin("a", 96);
    await begin("b", 20);
    await ask("b");
    expect(keys()).toEqual(["a", "b"]);
    await ask("c");
    expect(keys()).toEqual(["a", "b", "c"]);
  });

  it("is one key's for a call that is larger than its half", async () => {
    const { ask, begin, keys } = open({ maxBytes: 100, maxCallBytes: 90 });
    const first = await begin("a", 90);
    await ask("a");
    expect(keys()).toEqual(["a"]);
    first.end();
    await first.done;
    expect(keys()).toEqual(["a", "a"]);
  });

  it("goes to keys in rotation, whichever asked most", async () => {
    const { ask, begin, keys } = open({ maxBytes: 100, maxCallBytes: 90 });
    let last = await begin("x", 90);
    const asked = [];
    for (const key of ["a", "a", "a", "b", "b", "c"]) asked.push(await ask(key));
    for (let turn = 0; turn < 6; turn += 1) {
      last.end();
      await last.done;
      const next = asked.find(({ sending }) => sending !== undefined);
      if (next === undefined) throw new Error("nobody has entered");
      asked.splice(asked.indexOf(next), 1);
      next.sending?.begin(90);
      last = next;
    }
    expect(keys()).toEqual(["x", "a", "b", "c", "a", "b", "a"]);
  });

  it("does not let a key that has to wait for its own calls delay another one", async () => {
    const { ask, begin, keys } = open();
    const first = await begin("a", 96);
    const second = await ask("a");
    await ask("b");
    expect(keys()).toEqual(["a", "b"]);
    expect(second.sending).toBeUndefined();
    first.end();
    await first.done;
    expect(keys()).toEqual(["a", "b", "a"]);
  });

  it("is not waited for by a call that is canceled", async () => {
    const { ask, begin, keys } = open({ maxBytes: 100, maxCallBytes: 90 });
    const first = await begin("a", 90);
    const canceled = new AbortController();
    const second = await ask("b", canceled.signal);
    await ask("c");
    canceled.abort(new Error("canceled"));
    expect(await second.done).toMatchObject({ message: "canceled" });
    first.end();
    await first.done;
    expect(keys()).toEqual(["a", "c"]);
    const third = await ask("d", canceled.signal);
    expect(await third.done).toMatchObject({ message: "canceled" });
  });
});

describe("a call whose provisioner reads too slowly", () => {
  const mebibyte = 1024 * 1024;
  const large = { maxBytes: 100 * mebibyte, maxCallBytes: 90 * mebibyte };

  it("keeps its room while nobody waits for it", async () => {
    const { clock, ask, begin } = open(large);
    const slow = await begin("a", 90 * mebibyte);
    await clock.advance(600 * secondMs);
    expect(slow.isSlow).toBe(false);
    await ask("b");
    await clock.advance(secondMs);
    expect(slow.isSlow).toBe(true);
  });

  it("is told so once others have waited for 15 seconds, and others go on when it has ended", async () => {
    const { clock, ask, begin, keys } = open(large);
    const slow = await begin("a", 90 * mebibyte);
    await ask("b");
    await clock.advance(15 * secondMs);
    expect(slow.isSlow).toBe(false);
    await clock.advance(secondMs);
    expect(slow.isSlow).toBe(true);
    expect(keys()).toEqual(["a"]);
    slow.end(new Error("cut off"));
    await slow.done;
    expect(keys()).toEqual(["a", "b"]);
    expect(clock.sleepers).toBe(0);
  });

  it("is told so once, and so is the next one that others wait for", async () => {
    const { clock, ask, begin } = open(large);
    const slow = await begin("a", 90 * mebibyte);
    const next = await ask("b");
    await clock.advance(60 * secondMs);
    expect(slow.told).toBe(1);
    slow.end(new Error("cut off"));
    await slow.done;
    next.sending?.begin(90 * mebibyte);
    await ask("c");
    await clock.advance(16 * secondMs);
    expect(next.told).toBe(1);
  });

  it("is not looked for once the call that waited is canceled", async () => {
    const { clock, ask, begin } = open(large);
    await begin("a", 90 * mebibyte);
    const canceling = new AbortController();
    const waiting = await ask("b", canceling.signal);
    expect(clock.sleepers).toBe(1);
    canceling.abort(new Error("canceled"));
    await waiting.done;
    expect(clock.sleepers).toBe(0);
  });

  it("is not one that takes 128 KiB a second", async () => {
    const { clock, ask, begin } = open(large);
    const steady = await begin("a", 90 * mebibyte);
    await ask("b");
    for (let elapsed = 0; elapsed < 300; elapsed += 1) {
      await clock.advance(secondMs);
      steady.sending?.advance(128 * 1024);
    }
    expect(steady.isSlow).toBe(false);
    await clock.advance(17 * secondMs);
    expect(steady.isSlow).toBe(true);
  });

  it("is told so 15 seconds after its last read, however much it read at first", async () => {
    const { clock, ask, begin } = open(large);
    const slow = await begin("a", 90 * mebibyte);
    await ask("b");
    slow.sending?.advance(80 * mebibyte);
    await clock.advance(15 * secondMs);
    expect(slow.isSlow).toBe(false);
    await clock.advance(secondMs);
    expect(slow.isSlow).toBe(true);
  });

  it("is one that takes half of 128 KiB a second", async () => {
    const { clock, ask, begin } = open(large);
    const slow = await begin("a", 90 * mebibyte);
    await ask("b");
    for (let elapsed = 0; elapsed < 32; elapsed += 1) {
      slow.sending?.advance(64 * 1024);
      await clock.advance(secondMs);
    }
    expect(slow.isSlow).toBe(true);
  });

  it("is not one that paused while nobody waited, and reads again", async () => {
    const { clock, ask, begin } = open(large);
    const resumed = await begin("a", 90 * mebibyte);
    await clock.advance(600 * secondMs);
    resumed.sending?.advance(4 * mebibyte);
    await ask("b");
    await clock.advance(15 * secondMs);
    expect(resumed.isSlow).toBe(false);
    await clock.advance(4 * secondMs);
    expect(resumed.isSlow).toBe(true);
  });

  it("is not one that the server still reads from its database", async () => {
    const { clock, ask } = open(large);
    const reading = await ask("a");
    await ask("b");
    await clock.advance(600 * secondMs);
    expect(reading.isSlow).toBe(false);
  });

  it("is not in the way of other keys while there is room for them", async () => {
    const { clock, ask, begin } = open();
    const [other, own] = [await begin("a", 20), await begin("b", 96)];
    const waiting = await ask("b");
    await clock.advance(60 * secondMs);
    expect([other.isSlow, own.isSlow]).toEqual([false, true]);
    expect(waiting.sending).toBeUndefined();
  });
});
