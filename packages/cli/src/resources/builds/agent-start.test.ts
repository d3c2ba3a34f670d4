import { expect, it } from "vitest";

import { sampleAgent } from "../../../tests/support/sample-workspace.ts";
import { currentWait } from "./agent-start.ts";

it.each([
  [{ status: "connecting", lifecycle_state: "created" }, "waiting for agent main to connect"],
  [{ status: "disconnected", lifecycle_state: "starting" }, "waiting for agent main to reconnect"],
  [{ status: "connected", lifecycle_state: "created" }, "agent main is connected"],
  [{ status: "connected", lifecycle_state: "starting" }, "agent main is running its start scripts"],
  [{ status: "connected", lifecycle_state: "ready" }, undefined],
  [{ status: "connected", lifecycle_state: "start_error" }, undefined],
  [{ status: "connected", lifecycle_state: "start_timeout" }, undefined],
] as const)("of %o waits for: %s", (state, missing) => {
  expect(currentWait({ ...sampleAgent, ...state })).toBe(missing);
});

it("stops waiting for an agent that does not connect or shuts down", () => {
  expect(() => currentWait({ ...sampleAgent, status: "timeout" })).toThrow(
    "has not connected within 120 s",
  );
  expect(() => currentWait({ ...sampleAgent, lifecycle_state: "shutting_down" })).toThrow(
    "is shutting down",
  );
  const off = { ...sampleAgent, status: "disconnected", lifecycle_state: "off" } as const;
  expect(() => currentWait({ ...off, status: "connected" })).toThrow("is shutting down");
  const reason = "agent is not running: container 0123 ended with exit code 1";
  expect(() => currentWait({ ...off, health: { healthy: false, reason } })).toThrow(
    "agent main is not running: container 0123 ended with exit code 1",
  );
});
