import { describe, expect, it } from "vitest";

import { logText } from "./log-text.ts";

const line = {
  id: 1,
  created_at: "2026-07-24T05:20:02.123456Z",
  level: "info" as const,
  output: "hello",
  source_id: "s",
};

describe("logText", () => {
  it("shows time, level, agent and source", () => {
    expect(logText([line], "main", new Map([["s", "Startup Script"]]))).toBe(
      "2026-07-24T05:20:02Z [info] [agent.main|Startup Script] hello\n",
    );
  });

  it("leaves out a source that is unknown or has no name", () => {
    const plain = "2026-07-24T05:20:02Z [info] hello\n";
    expect(logText([line], "main", new Map())).toBe(plain);
    expect(logText([line], "main", new Map([["s", ""]]))).toBe(plain);
  });

  it("keeps colors and nothing else that a terminal obeys", () => {
    const hostile = {
      ...line,
      output: "\u001b[31mred\u001b[2J\u001b]52;c;eA==\u0007\rover\u009b1;1H",
    };
    expect(logText([hostile], "main", new Map([["s", "a\u001b]0;t\u0007b\nc"]]))).toBe(
      "2026-07-24T05:20:02Z [info] [agent.main|ab c] \u001b[31mred␍over\u001b[0m\n",
    );
  });

  it("is empty for no lines and reads a time without a fraction", () => {
    expect(logText([], "main", new Map())).toBe("");
    const whole = { ...line, created_at: "2026-07-24T05:20:02Z" };
    expect(logText([whole, whole], "main", new Map())).toBe(
      "2026-07-24T05:20:02Z [info] hello\n".repeat(2),
    );
  });
});
