import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { Lifecycle, lifecycleStates } from "./lifecycle.ts";
import type { LifecycleState } from "./lifecycle.ts";

async function reported(
  states: readonly LifecycleState[],
  act: (lifecycle: Lifecycle) => void = () => undefined,
): Promise<LifecycleState[]> {
  const lifecycle = new Lifecycle(createFakeClock());
  for (const state of states) lifecycle.enter(state);
  act(lifecycle);
  const seen: LifecycleState[] = [];
  const end = new AbortController();
  const ended = lifecycle.run(async ({ state }) => void seen.push(state), end.signal);
  await lifecycle.reported(new AbortController().signal);
  end.abort(new Error("done"));
  await expect(ended).rejects.toThrow("done");
  return seen;
}

describe("Lifecycle", () => {
  it("only moves forward", async () => {
    expect(await reported(["starting", "shutting-down", "ready", "off", "starting"])).toEqual([
      "starting",
      "shutting-down",
      "off",
    ]);
  });

  it.each(["start-timeout", "start-error"] as const)(
    "never becomes ready after %s",
    async (state) => {
      expect(await reported(["starting", state, "ready", "start-error", "shutting-down"])).toEqual([
        "starting",
        state,
        "shutting-down",
      ]);
    },
  );

  it("reports each state once and in order over lost connections, with the time of its change", async () => {
    const clock = createFakeClock(1_000);
    const lifecycle = new Lifecycle(clock);
    const acknowledged: string[] = [];
    const signal = new AbortController().signal;
    lifecycle.enter("starting");
    await clock.advance(500);
    lifecycle.enter("ready");
    const lost = lifecycle.run(async ({ state, changedAtMs }) => {
      if (state === "ready") throw new Error("lost");
      acknowledged.push(`${state} ${changedAtMs}`);
    }, signal);
    await expect(lost).rejects.toThrow("lost");
    const again = lifecycle.run(async ({ state, changedAtMs }) => {
      acknowledged.push(`${state} ${changedAtMs}`);
      if (state === "ready") lifecycle.enter("off");
      if (state === "off") throw new Error("end");
    }, signal);
    await expect(again).rejects.toThrow("end");
    expect(acknowledged).toEqual(["starting 1000", "ready 1500", "off 1500"]);
  });

  it.each([[["starting"]], [["starting", "ready"]], [["starting", "start-error"]]] as const)(
    "repeats %j for the next identity, each state once",
    async (states) => {
      expect(await reported(states, (lifecycle) => lifecycle.repeat())).toEqual(states);
    },
  );

  it("holds all states even if nothing is ever reported", async () => {
    expect(await reported(lifecycleStates)).toEqual([
      "starting",
      "start-timeout",
      "shutting-down",
      "shutdown-timeout",
      "shutdown-error",
      "off",
    ]);
  });
});
