import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { ProgressLog } from "./progress-log.ts";

function open(): { lines: string[]; clock: FakeClock; progress: ProgressLog } {
  const lines: string[] = [];
  const clock = createFakeClock();
  const log = { write: (_level: string, _stage: string, line: string) => void lines.push(line) };
  return { lines, clock, progress: new ProgressLog(log, "Pulling the image", clock) };
}

it("writes a line when a layer's state changes, and at most one a second", async () => {
  const { lines, clock, progress } = open();
  progress.take({ status: "Pulling from library/debian", id: "12" });
  progress.take({ status: "Downloading", id: "a", progressDetail: { current: 1, total: 9 } });
  await clock.advance(1_000);
  progress.take({ status: "Downloading", id: "a", progressDetail: { current: 5, total: 9 } });
  progress.take({ status: "Extracting", id: "a" });
  progress.take({ status: "Extracting", id: "b" });
  progress.take({ status: "Digest: sha256:0" });
  expect(lines).toEqual(["12: Pulling from library/debian", "a: Extracting", "Digest: sha256:0"]);
});

it("writes the output of a build line by line, up to a limit", () => {
  const { lines, progress } = open();
  progress.take({ stream: "Step 1/2 : FROM box\n" });
  progress.take({ stream: "\n" });
  progress.take({ stream: "y\n".repeat(20_000) });
  expect(lines[0]).toBe("Step 1/2 : FROM box");
  expect(lines).toHaveLength(10_000);
  expect(lines.at(-1)).toContain("further output is not kept");
});

it("returns errors", () => {
  const { lines, progress } = open();
  expect(progress.take({ error: "denied", errorDetail: { message: "pull access denied" } })).toBe(
    "pull access denied",
  );
  expect(progress.take({ error: "denied" })).toBe("denied");
  expect(progress.take("nonsense")).toBeUndefined();
  expect(lines).toEqual([]);
});
