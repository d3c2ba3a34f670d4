import { describe, expect, it } from "vitest";

import { createLogger } from "./logger.ts";

const hostile = "a\u001b]52;c;ZXZpbA==\u0007b\u001b[2Jc\rd\u009b1;1H\u007fe\u202e";

/** Returns the lines that a logger writes for a message, a field and a foreign error. */
function logged(format: "json" | "pretty", isTerminal: boolean): string {
  let written = "";
  const logger = createLogger({ level: "info", format }, isTerminal, (line) => (written += line));
  logger.warn({ agent: hostile }, `said ${hostile}`);
  logger.error({ err: new Error(hostile) }, "failed");
  return written;
}

describe("createLogger", () => {
  it.each([
    ["pretty", true],
    ["pretty", false],
    ["json", true],
  ] as const)("writes nothing that steers a terminal: %s, %s", (format, isTerminal) => {
    const written = logged(format, isTerminal);
    expect(written).toContain("said a");
    // eslint-disable-next-line no-control-regex -- matches control characters on purpose
    const bare = isTerminal ? written.replaceAll(/\u001b\[[\d;]*m/g, "") : written;
    expect(bare).toMatch(/^(?:[^\p{Cc}\u2028-\u202e\u2066-\u2069]|\n)*$/u);
  });

  it("writes JSON that says what was said", () => {
    const [line = ""] = logged("json", false).split("\n");
    expect(JSON.parse(line)).toMatchObject({ agent: hostile, msg: `said ${hostile}` });
  });
});
