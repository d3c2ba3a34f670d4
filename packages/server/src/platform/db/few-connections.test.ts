import { EventEmitter } from "node:events";

import { createFakeClock } from "@slipway/testkit";
import pg, { type PoolClient } from "pg";
import { expect, it } from "vitest";

import { fewConnections, patienceMs } from "./few-connections.ts";

/** A pool that counts its connections in use. */
class CountingPool extends EventEmitter {
  readonly options = new pg.Pool().options;
  inUse = 0;
  fails = false;

  readonly connect = async (): Promise<PoolClient> => {
    if (this.fails) throw new Error("connect ECONNREFUSED");
    this.inUse += 1;
    const release = (): void => {
      this.inUse -= 1;
      this.emit("release");
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the only part that is used
    return { release } as PoolClient;
  };

  readonly end = async (): Promise<void> => undefined;
}

function open() {
  const clock = createFakeClock(0);
  const counting = new CountingPool();
  const pool = fewConnections(counting, { clock, usual: 2 });
  const order: number[] = [];
  const connect = async (number: number): Promise<PoolClient> => {
    const client = await pool.connect();
    order.push(number);
    return client;
  };
  return { clock, counting, connect, order };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

it("hands connections on, oldest first, instead of opening others", async () => {
  const { counting, connect, order } = open();
  const [first, second] = [await connect(1), await connect(2)];
  const [third, fourth] = [connect(3), connect(4)];
  await settled();
  expect([counting.inUse, order]).toEqual([2, [1, 2]]);
  first.release();
  await third;
  // A newcomer does not pass those that wait.
  const fifth = connect(5);
  second.release();
  await fourth;
  expect([counting.inUse, order]).toEqual([2, [1, 2, 3, 4]]);
  (await third).release();
  for (const client of await Promise.all([fourth, fifth])) client.release();
  expect(counting.inUse).toBe(0);
});

it("opens another for whoever has waited long enough", async () => {
  const { clock, counting, connect } = open();
  await Promise.all([connect(1), connect(2)]);
  const third = connect(3);
  await clock.advance(patienceMs - 1);
  expect(counting.inUse).toBe(2);
  await clock.advance(1);
  const client = await third;
  expect(counting.inUse).toBe(3);
  // One too many is in use: its release admits no other.
  const fourth = connect(4);
  client.release();
  await settled();
  expect(counting.inUse).toBe(2);
  await clock.advance(patienceMs);
  await fourth;
  expect(counting.inUse).toBe(3);
});

it("gives back the turn of a connection that fails", async () => {
  const { counting, connect } = open();
  counting.fails = true;
  await Promise.all([1, 2, 3, 4].map((number) => expect(connect(number)).rejects.toThrow("ECONN")));
  counting.fails = false;
  await Promise.all([connect(1), connect(2)]);
  expect(counting.inUse).toBe(2);
});
