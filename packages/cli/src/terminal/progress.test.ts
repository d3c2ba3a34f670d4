import type { Clock } from "@slipway/runtime";
import { expect, it } from "vitest";

import { noColors } from "./colors.ts";
import { createOutput, type Output } from "./output.ts";
import { Progress } from "./progress.ts";

/** A clock whose sleeper is woken manually. */
function handClock(): Clock & { readonly pass: (ms: number) => Promise<void> } {
  let nowMs = 0;
  let wake = (): void => undefined;
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        wake = resolve;
        signal.addEventListener("abort", () => reject(new Error("ended")), { once: true });
      }),
    async pass(ms) {
      nowMs += ms;
      wake();
      // Lets the sleeper run until its next sleep.
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    },
  };
}

function recorder(isTerminal: boolean): Output & { readonly written: string[] } {
  const written: string[] = [];
  const columns = isTerminal ? () => 20 : undefined;
  const output = createOutput((text) => void written.push(text), { colors: noColors, columns });
  return Object.assign(output, { written });
}

it("prints nothing for a wait of less than a second", async () => {
  const clock = handClock();
  const output = recorder(true);
  using progress = new Progress(output, clock);
  progress.waitFor("building");
  await clock.pass(999);
  expect(output.written).toEqual([]);
});

it("draws on a terminal, within its width, and erases itself before a line", async () => {
  const clock = handClock();
  const output = recorder(true);
  using progress = new Progress(output, clock);
  progress.waitFor("building something long");
  await clock.pass(1_500);
  progress.line("a line");
  expect(output.written).toEqual(["\r\u001b[2K⠋ building somethin", "\r\u001b[2K", "a line\n"]);
});

it("prints one plain line without a terminal", async () => {
  const clock = handClock();
  const output = recorder(false);
  using progress = new Progress(output, clock);
  progress.waitFor("building");
  await clock.pass(1_500);
  await clock.pass(1_500);
  progress.waitFor("starting");
  await clock.pass(1_500);
  expect(output.written).toEqual(["building…\n", "starting…\n"]);
});

it("prints nothing once disposed of", async () => {
  const clock = handClock();
  const output = recorder(true);
  const progress = new Progress(output, clock);
  progress.waitFor("building");
  progress[Symbol.dispose]();
  await clock.pass(5_000);
  expect(output.written).toEqual([]);
});
