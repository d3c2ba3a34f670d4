import { systemClock } from "@slipway/runtime";
import { ApiError, ConnectError } from "@slipway/sdk/http";
import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { memoryTerminal } from "../../tests/support/memory-terminal.ts";
import { noColors } from "../terminal/colors.ts";
import { LossNotice, readPatiently, sendPatiently } from "./patient-read.ts";

const attempt = new ConnectError("http://x", { cause: new Error("refused") });
const broken = new Error("stream closed with 1006");

function notice({ isTerminal } = { isTerminal: true }): {
  readonly said: string[];
  readonly notice: LossNotice;
  readonly pass: (ms: number) => void;
} {
  const said: string[] = [];
  let nowMs = 0;
  const clock = { ...systemClock, monotonic: () => nowMs };
  return {
    said,
    notice: new LossNotice(
      { line: (text) => said.push(text), colors: noColors, isTerminal },
      clock,
    ),
    pass: (ms) => (nowMs += ms),
  };
}

it("reports a loss once, however many streams broke and however long it takes", () => {
  const { said, notice: loss, pass } = notice();
  loss.lost("a", broken);
  loss.lost("b", broken);
  for (let count = 0; count < 10; count += 1) {
    pass(5_000);
    loss.lost("a", attempt);
    loss.lost("b", attempt);
  }
  expect(said).toEqual(["connection lost, reconnecting…"]);
});

it("reports the next loss, even if nothing arrived in between", () => {
  const { said, notice: loss, pass } = notice();
  loss.lost("a", broken);
  pass(10_000);
  loss.lost("a", broken);
  pass(10_000);
  loss.arrived("a");
  loss.lost("a", attempt);
  expect(said).toHaveLength(3);
});

it.each([
  [true, ["waiting for the server to open a WebSocket…", expect.stringContaining("proxy")]],
  [false, [expect.stringContaining("proxy")]],
])("tells once what keeps logs from opening (terminal: %j)", (isTerminal, expected) => {
  const { said, notice: loss } = notice({ isTerminal });
  for (const stream of ["a", "b", "a"]) {
    const reports = loss.ofLog(stream);
    reports.onSlow();
    reports.onWithoutSocket(attempt);
  }
  expect(said).toEqual(expected);
});

function failure(code: string): ConnectError {
  return new ConnectError("http://x", { cause: Object.assign(new Error(code), { code }) });
}

/** Makes attempts that fail with each of the errors in turn; resolves to their number, and to the outcome. */
async function tryWith(
  patiently: typeof readPatiently,
  ...errors: readonly Error[]
): Promise<readonly [number, unknown]> {
  const clock = { ...createFakeClock(), sleep: () => Promise.resolve() };
  const { signal } = new AbortController();
  const left = [...errors];
  let attempts = 0;
  const request = async (): Promise<string> => {
    attempts += 1;
    const error = left.shift();
    if (error !== undefined) throw error;
    return "done";
  };
  const needs = { terminal: memoryTerminal(), clock, signal };
  const outcome = await patiently(request, needs).catch((error: unknown) => error);
  return [attempts, outcome];
}

const away = [failure("ECONNREFUSED"), failure("ENOTFOUND")];
const reset = failure("ECONNRESET");
const stopping = new ApiError(503, { message: "stopping" });
const refusal = new ApiError(500, { message: "broken" });

it("reads again while the server is away, and from nothing that has failed for good", async () => {
  expect(await tryWith(readPatiently, ...away, reset, stopping)).toEqual([5, "done"]);
  expect(await tryWith(readPatiently, refusal)).toEqual([1, refusal]);
});

it("sends again only what cannot have arrived", async () => {
  expect(await tryWith(sendPatiently, ...away)).toEqual([3, "done"]);
  expect(await tryWith(sendPatiently, reset)).toEqual([1, reset]);
  expect(await tryWith(sendPatiently, stopping)).toEqual([1, stopping]);
});
