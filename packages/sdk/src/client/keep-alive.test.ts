import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { ApiError, ConnectError } from "../http/errors.ts";
import { KeepAlive } from "./keep-alive.ts";

const leaseMs = 90_000;

it("renews the lease each third of its time, until it is disposed of", async () => {
  const clock = createFakeClock();
  const renewals: number[] = [];
  const extend = async (ms: number): Promise<boolean> => {
    renewals.push(ms);
    return true;
  };
  {
    await using lease = new KeepAlive(extend, { leaseMs, clock });
    void lease;
    await expect.poll(() => renewals).toEqual([leaseMs]);
    await clock.advance(29_000);
    expect(renewals).toHaveLength(1);
    await clock.advance(2_000);
    await expect.poll(() => renewals).toHaveLength(2);
  }
  await clock.advance(leaseMs);
  expect(renewals).toHaveLength(2);
});

it("goes on after a lost connection, and fails when the workspace is gone", async () => {
  const clock = createFakeClock();
  const problems: unknown[] = [];
  const answers = [
    new ConnectError("http://localhost", { cause: undefined }),
    new ApiError(404, { message: "no such workspace" }),
  ];
  const extend = async (): Promise<boolean> => {
    throw answers.shift() ?? new Error("one renewal too many");
  };
  const onProblem = (error: unknown): void => void problems.push(error);
  await using lease = new KeepAlive(extend, { leaseMs, clock, onProblem });
  await expect.poll(() => problems).toHaveLength(1);
  await clock.advance(31_000);
  await expect(lease.failed).rejects.toThrow("no such workspace");
  expect(problems).toHaveLength(1);
});

it("refuses a lease shorter than a minute", () => {
  const clock = createFakeClock();
  expect(() => new KeepAlive(async () => true, { leaseMs: 59_000, clock })).toThrow("59000");
});
