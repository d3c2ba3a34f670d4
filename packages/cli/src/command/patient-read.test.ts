import { systemClock } from "@slipway/runtime";
import { ConnectError } from "@slipway/sdk/http";
import { expect, it } from "vitest";

import { LossNotice } from "./patient-read.ts";

const attempt = new ConnectError("http://x", { cause: new Error("refused") });
const broken = new Error("stream closed with 1006");

function notice(): {
  readonly said: string[];
  readonly notice: LossNotice;
  readonly pass: (ms: number) => void;
} {
  const said: string[] = [];
  let nowMs = 0;
  const clock = { ...systemClock, monotonic: () => nowMs };
  return {
    said,
    notice: new LossNotice((text) => said.push(text), clock),
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
