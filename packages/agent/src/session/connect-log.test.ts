import { type LogFields, silentLogger } from "@slipway/runtime";
import { rungs } from "@slipway/sdk/agent";
import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { advice, ConnectLog } from "./connect-log.ts";

function bench(): {
  readonly connectLog: ConnectLog;
  readonly told: string[];
  readonly warned: { readonly fields: LogFields; readonly message: string }[];
  readonly clock: ReturnType<typeof createFakeClock>;
} {
  const clock = createFakeClock();
  const warned: { fields: LogFields; message: string }[] = [];
  const warn = (fields: LogFields, message: string): void => void warned.push({ fields, message });
  const told: string[] = [];
  const info = (_fields: LogFields, message: string): void => void told.push(message);
  const logger = { ...silentLogger, info, warn };
  return {
    told,
    connectLog: new ConnectLog("https://slipway.example.com", clock, logger),
    warned,
    clock,
  };
}

describe("ConnectLog", () => {
  it.each(rungs)("says what to check when %s fails", (rung) => {
    const { connectLog, warned } = bench();
    connectLog.failed(rung, "details");
    expect(warned).toEqual([
      {
        message: `cannot connect: ${rung} failed`,
        fields: {
          rung,
          address: "https://slipway.example.com",
          error: "details",
          check: advice[rung],
        },
      },
    ]);
  });

  it("repeats a cause only each minute, with a count, and says a new one at once", async () => {
    const { connectLog, warned, clock } = bench();
    for (let count = 0; count < 25; count += 1) {
      connectLog.failed("tcp", "refused");
      await clock.advance(5_000);
    }
    expect(warned.map(({ fields }) => fields["repeats"])).toEqual([undefined, 12, 12]);
    connectLog.failed("authentication", "401");
    expect(warned).toHaveLength(4);
  });

  it("takes the same cause as news after a connection", () => {
    const { connectLog, warned } = bench();
    connectLog.failed("tcp", "refused");
    connectLog.connected();
    connectLog.failed("tcp", "refused");
    expect(warned).toHaveLength(2);
  });

  it("reports a stopped workspace once, without a warning, and what fails after it at once", () => {
    const { connectLog, told, warned } = bench();
    connectLog.stopped();
    connectLog.stopped();
    expect(told).toEqual(["the workspace is stopped: waiting for its next start"]);
    expect(warned).toEqual([]);
    connectLog.failed("tcp", "refused");
    connectLog.stopped();
    connectLog.connected();
    connectLog.stopped();
    expect(warned).toHaveLength(1);
    expect(told).toHaveLength(3);
  });
});
