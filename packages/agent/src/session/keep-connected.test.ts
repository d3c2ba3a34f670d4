import { type LogFields, silentLogger } from "@slipway/runtime";
import { DialError, IdentityError } from "@slipway/sdk/agent";
import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { ScriptedServer } from "../../tests/support/scripted-server.ts";
import { ConnectLog } from "./connect-log.ts";
import { keepConnected, type KeepConnectedOptions, Redial } from "./keep-connected.ts";

const logger = silentLogger;

/** The lifetimes of connections in milliseconds, or undefined for a failed dial; after them it dials forever. */
async function dialTimes(lives: readonly (number | undefined)[], forMs: number): Promise<number[]> {
  const clock = createFakeClock(0);
  const server = new ScriptedServer();
  const times: number[] = [];
  const pending = [...lives];
  const end = new AbortController();
  let lifeMs = 0;
  const options: KeepConnectedOptions = {
    dial: async () => {
      times.push(clock.now());
      const life = pending.shift();
      if (life === undefined) throw new DialError("tcp", "refused");
      lifeMs = life;
      return server.connect();
    },
    serve: async (_connection, onUsable, signal) => {
      onUsable();
      await clock.sleep(lifeMs, signal);
      throw new Error("lost");
    },
    onStopped: async () => undefined,
    redial: new Redial(),
    connectLog: new ConnectLog("http://localhost", clock, logger),
    clock,
    logger,
    random: () => 0,
  };
  const ended = keepConnected(options, end.signal);
  await clock.advance(forMs);
  end.abort();
  await ended;
  return times.map((time) => Math.floor(time));
}

describe("keepConnected", () => {
  it("dials at once and then after growing delays up to ten seconds", async () => {
    const times = await dialTimes([], 60_000);
    expect(times.slice(0, 5)).toEqual([0, 100, 261, 523, 947]);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps.at(-1)).toBe(10_000);
  });

  it("starts anew with small delays after a connection that was stable", async () => {
    const refused = Array.from({ length: 12 }, () => undefined);
    const times = await dialTimes([...refused, 30_000, undefined, undefined], 90_000);
    const gaps = times.slice(12).map((time, index, all) => (all[index + 1] ?? Number.NaN) - time);
    expect(gaps.slice(0, 2)).toEqual([30_100, expect.closeTo(162, -1)]);
  });

  it("looks every two seconds for a server that was there half a minute ago", async () => {
    const times = await dialTimes([30_000], 90_000);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...gaps.slice(1, -3))).toBeLessThanOrEqual(2_001);
    expect(gaps.at(-1)).toBe(10_000);
  });

  it("goes on slowing down while connections end at once", async () => {
    const times = await dialTimes([0, 0, 0, 0], 1_000);
    expect(times).toEqual([0, 100, 261, 523, 947]);
  });

  it("says on which rung a dial failed: that of its error, identity for want of a token", async () => {
    const clock = createFakeClock(0);
    const failures = [new DialError("tcp", "a"), new IdentityError("b"), new Error("c")];
    const rungs: unknown[] = [];
    const warn = ({ rung }: LogFields): void => void rungs.push(rung);
    const end = new AbortController();
    const ended = keepConnected(
      {
        dial: async () => {
          throw failures.shift() ?? new DialError("dns", "d");
        },
        serve: async () => undefined,
        onStopped: async () => undefined,
        redial: new Redial(),
        connectLog: new ConnectLog("http://localhost", clock, { ...logger, warn }),
        clock,
        logger,
        random: () => 0,
      },
      end.signal,
    );
    await clock.advance(600);
    expect(rungs).toEqual(["tcp", "identity", "rpc", "dns"]);
    end.abort();
    await ended;
  });

  it("does not warn of a refusal because the workspace is stopped", async () => {
    const clock = createFakeClock(0);
    const warned: string[] = [];
    const warn = (_fields: LogFields, message: string): void => void warned.push(message);
    const end = new AbortController();
    let stops = 0;
    const ended = keepConnected(
      {
        dial: async () => {
          throw new DialError("authentication", "401", { status: 401, fields: ["workspace"] });
        },
        serve: async () => undefined,
        onStopped: async () => void (stops += 1),
        redial: new Redial(),
        connectLog: new ConnectLog("http://localhost", clock, { ...logger, warn }),
        clock,
        logger: { ...logger, warn },
        random: () => 0,
      },
      end.signal,
    );
    await clock.advance(180_000);
    expect(stops).toBeGreaterThan(10);
    expect(warned).toEqual([]);
    end.abort();
    await ended;
  });

  it("closes each connection before it dials again", async () => {
    const clock = createFakeClock(0);
    const server = new ScriptedServer();
    const end = new AbortController();
    const closed: string[] = [];
    const ended = keepConnected(
      {
        dial: async () => {
          const connection = server.connect();
          void connection.closed.then((reason) => closed.push(reason));
          return connection;
        },
        serve: async () => {
          throw new Error("lost");
        },
        onStopped: async () => undefined,
        redial: new Redial(),
        connectLog: new ConnectLog("http://localhost", clock, logger),
        clock,
        logger,
        random: () => 0,
      },
      end.signal,
    );
    await clock.advance(100);
    expect(server.connections).toHaveLength(2);
    expect(closed).toEqual(["closed", "closed"]);
    end.abort();
    await ended;
  });

  it("connects at once when it is asked, whatever it is doing", async () => {
    const clock = createFakeClock(0);
    const server = new ScriptedServer();
    const redial = new Redial();
    const end = new AbortController();
    const times: number[] = [];
    let doing: "serve" | "dial" | "fail" = "serve";
    const ended = keepConnected(
      {
        dial: async (signal) => {
          times.push(clock.now());
          if (doing === "fail") throw new DialError("tcp", "refused");
          if (doing === "dial") await clock.sleep(60_000, signal);
          // A server that does not answer the goodbye.
          return { ...server.connect(), close: () => new Promise(() => undefined) };
        },
        serve: async (_connection, onUsable, signal) => {
          onUsable();
          await clock.sleep(3_600_000, signal);
        },
        onStopped: async () => undefined,
        redial,
        connectLog: new ConnectLog("http://localhost", clock, logger),
        clock,
        logger,
        random: () => 0,
      },
      end.signal,
    );
    await clock.advance(1_000);
    doing = "dial";
    redial.now();
    await clock.advance(1_000);
    doing = "fail";
    redial.now();
    await clock.advance(60_000);
    const before = times.length;
    doing = "serve";
    redial.now();
    await clock.advance(60_000);
    expect(times.slice(0, 3)).toEqual([0, 1_000, 2_000]);
    expect(times.slice(before)).toEqual([62_000]);
    end.abort();
    redial.now();
    await ended;
  });
});
