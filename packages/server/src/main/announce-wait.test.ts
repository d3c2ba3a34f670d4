import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { announceWait } from "./announce-wait.ts";

it("says what a stop waits for once it takes a second, and what it waits for after that", async () => {
  const clock = createFakeClock();
  const over = new AbortController();
  const written: string[] = [];
  let reason = "the workspaces to stop";
  const stop = {
    waitsFor: () => reason,
    hint: "press Ctrl-C again",
    write: (text: string) => void written.push(text),
    clock,
  };
  const announced = announceWait(stop, over.signal);
  await clock.advance(900);
  expect(written).toEqual([]);
  await clock.advance(3_000);
  expect(written).toEqual(["still waiting for the workspaces to stop; press Ctrl-C again\n"]);
  reason = "the database";
  await clock.advance(3_000);
  expect(written.slice(1)).toEqual(["still waiting for the database; press Ctrl-C again\n"]);
  over.abort(new Error("stopped"));
  await expect(announced).rejects.toThrow("stopped");
});
