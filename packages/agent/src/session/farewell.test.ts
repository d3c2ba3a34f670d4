import { DialError } from "@slipway/sdk/agent";
import { describe, expect, it } from "vitest";

import { ScriptedServer } from "../../tests/support/scripted-server.ts";
import { Farewell, farewellMs } from "./farewell.ts";

const never = new AbortController().signal;
const unreachable = new DialError("tcp", "refused");

/** Dials a server that rejects the agent, and returns the classified error. */
async function failToDial(farewell: Farewell, error: Error, signal = never): Promise<void> {
  const dialed = farewell.dial(() => Promise.reject(error), signal);
  await expect(dialed).rejects.toBe(error);
}

/** Connects, ends as an agent does, and loses the server once the last messages have arrived. */
async function loseServerWhileSending(): Promise<{ farewell: Farewell; ms: number }> {
  const farewell = new Farewell();
  const connection = await farewell.dial(async () => new ScriptedServer().connect(), never);
  farewell.end();
  const ms = farewell.send();
  await connection.close();
  await expect.poll(() => farewell.isConnected).toBe(false);
  return { farewell, ms };
}

describe("the end of an agent", () => {
  it("waits for a server that was there, and restarts while the last messages are sent", async () => {
    const { farewell, ms } = await loseServerWhileSending();
    expect(ms).toBeGreaterThan(farewellMs);
    for (let times = 0; times < 3; times += 1) await failToDial(farewell, unreachable);
    expect(farewell.hopeless.aborted).toBe(false);
    await farewell.dial(async () => new ScriptedServer().connect(), never);
    expect(farewell.isConnected).toBe(true);
  });

  it("does not wait for one that is back and refuses the agent", async () => {
    const { farewell } = await loseServerWhileSending();
    await failToDial(farewell, new DialError("authentication", "unknown token"));
    expect(farewell.hopeless.aborted).toBe(true);
  });

  it("waits for a server that came while the agent was ending", async () => {
    const farewell = new Farewell();
    farewell.end();
    const connection = await farewell.dial(async () => new ScriptedServer().connect(), never);
    await connection.close();
    expect(farewell.send()).toBeGreaterThan(farewellMs);
    await failToDial(farewell, unreachable);
    expect(farewell.hopeless.aborted).toBe(false);
  });

  it("waits until the first dial that fails for one that was not there, and only once it sends", async () => {
    const farewell = new Farewell();
    await failToDial(farewell, unreachable);
    farewell.end();
    await failToDial(farewell, unreachable);
    expect(farewell.hopeless.aborted).toBe(false);
    expect(farewell.send()).toBe(farewellMs);
    await failToDial(farewell, unreachable, AbortSignal.abort());
    expect(farewell.hopeless.aborted).toBe(false);
    await failToDial(farewell, unreachable);
    expect(farewell.hopeless.aborted).toBe(true);
  });
});
