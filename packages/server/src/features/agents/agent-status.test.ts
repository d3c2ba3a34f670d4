import { describe, expect, it } from "vitest";

import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { agentHealth, agentStatus, type ConnectionTimes } from "./agent-status.ts";

const now = Date.UTC(2026, 6, 24, 12);
const ago = (ms: number): string => timestampFromMs(now - ms);

const neverConnected: ConnectionTimes = {
  created_at: ago(60_000),
  first_connected_at: null,
  last_connected_at: null,
  disconnected_at: null,
  connection_timeout_seconds: 120,
};
const connected: ConnectionTimes = {
  ...neverConnected,
  first_connected_at: ago(50_000),
  last_connected_at: ago(10_000),
};

describe("agentStatus", () => {
  it("is connecting until the time limit of the template has passed", () => {
    expect(agentStatus(neverConnected, now).status).toBe("connecting");
    const atLimit = { ...neverConnected, connection_timeout_seconds: 60 };
    expect(agentStatus(atLimit, now).status).toBe("connecting");
    expect(agentStatus(atLimit, now + 1).status).toBe("timeout");
  });

  it("is disconnected when its end was reported before it connected", () => {
    const ended = { ...neverConnected, disconnected_at: ago(1_000) };
    const expected = { status: "disconnected", disconnectedAt: ended.disconnected_at };
    expect(agentStatus(ended, now)).toEqual(expected);
    expect(agentStatus({ ...ended, connection_timeout_seconds: 1 }, now)).toEqual(expected);
  });

  it("waits for ever without a time limit", () => {
    const patient = { ...neverConnected, connection_timeout_seconds: 0 };
    expect(agentStatus(patient, now + 1e12).status).toBe("connecting");
  });

  it("is connected while it is heard of, at most 30 seconds ago", () => {
    expect(agentStatus(connected, now)).toEqual({ status: "connected", disconnectedAt: null });
    expect(agentStatus(connected, now + 20_000).status).toBe("connected");
  });

  it("is disconnected since it was last heard of, when nobody noted its end", () => {
    expect(agentStatus(connected, now + 20_001)).toEqual({
      status: "disconnected",
      disconnectedAt: connected.last_connected_at,
    });
  });

  it("is disconnected when its end was noted last, and connected when it came back since", () => {
    const left = { ...connected, disconnected_at: ago(10_000) };
    expect(agentStatus(left, now)).toEqual({
      status: "disconnected",
      disconnectedAt: left.disconnected_at,
    });
    const back = { ...connected, disconnected_at: ago(10_001) };
    expect(agentStatus(back, now)).toEqual({
      status: "connected",
      disconnectedAt: back.disconnected_at,
    });
  });

  it("stays connected once it was, however late that came", () => {
    const late = { ...connected, connection_timeout_seconds: 1 };
    expect(agentStatus(late, now).status).toBe("connected");
  });
});

describe("agentHealth", () => {
  it.each([
    ["connecting", "off", "agent is not running"],
    ["timeout", "off", "agent is not running"],
    ["disconnected", "off", "agent is not running"],
    ["connecting", "created", "agent has not yet connected"],
    ["timeout", "created", "agent is taking too long to connect"],
    ["disconnected", "ready", "agent has lost connection"],
    ["disconnected", "start_error", "agent has lost connection"],
    ["connected", "start_error", "agent startup script exited with an error"],
    ["connected", "shutting_down", "agent is shutting down"],
    ["connected", "shutdown_timeout", "agent is shutting down"],
    ["connected", "shutdown_error", "agent is shutting down"],
    ["connected", "off", "agent is shutting down"],
  ] as const)("%s and %s: %s", (status, lifecycle, reason) => {
    expect(agentHealth(status, lifecycle, null)).toEqual({ healthy: false, reason });
  });

  it("says why the agent ended, until it is connected again", () => {
    const detail = "container 0123 ended with exit code 1";
    const reason = `agent is not running: ${detail}`;
    expect(agentHealth("disconnected", "off", detail)).toEqual({ healthy: false, reason });
    expect(agentHealth("connected", "ready", detail)).toEqual({ healthy: true });
  });

  it.each(["created", "starting", "start_timeout", "ready"] as const)(
    "is good while connected and %s",
    (lifecycle) => {
      expect(agentHealth("connected", lifecycle, null)).toEqual({ healthy: true });
    },
  );
});
