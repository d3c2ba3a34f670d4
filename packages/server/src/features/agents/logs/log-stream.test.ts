import type { AgentLog } from "@slipway/api/agents/log-routes";
import { maxLogMessageBytes } from "@slipway/api/agents/log-routes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { logMessages } from "./log-stream.ts";

function line(id: number, output: string): AgentLog {
  const source_id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  return { id, created_at: "2026-07-24T05:20:02.123456Z", output, level: "info", source_id };
}

/** A line as stored by the server: at most 1,024 characters. */
const outputs = fc.array(fc.string({ unit: "binary", maxLength: 512 }), { maxLength: 300 });

describe("logMessages", () => {
  it("sends one empty array for no lines", () => {
    expect(logMessages([])).toEqual(["[]\n"]);
  });

  it("keeps every line in order in messages that stock clients can read", () => {
    fc.assert(
      fc.property(outputs, (texts) => {
        const logs = texts.map((text, index) => line(index + 1, text));
        const messages = logMessages(logs);
        for (const message of messages) {
          expect(Buffer.byteLength(message)).toBeLessThanOrEqual(maxLogMessageBytes);
        }
        const read: unknown[] = messages.flatMap((message) => JSON.parse(message));
        expect(read).toEqual(JSON.parse(JSON.stringify(logs)));
      }),
      { numRuns: 50 },
    );
  });

  it("fills a message to the last byte and begins another with the next", () => {
    const overhead = JSON.stringify([line(1, "")]).length + 1;
    const full = line(1, "x".repeat(maxLogMessageBytes - overhead));
    const [message, ...others] = logMessages([full]);
    expect(others).toEqual([]);
    // The first line includes a comma too.
    expect(Buffer.byteLength(message ?? "")).toBe(maxLogMessageBytes);
    expect(logMessages([line(1, "a"), full])).toHaveLength(2);
  });

  it("never passes the limit by the brackets, the comma or the line feed of a message", () => {
    const empty = JSON.stringify([line(1, ""), line(2, "")]).length + 1;
    for (let over = -3; over <= 3; over += 1) {
      const fill = "x".repeat(maxLogMessageBytes - empty + over);
      const sizes = logMessages([line(1, ""), line(2, fill)]).map((text) =>
        Buffer.byteLength(text),
      );
      expect(Math.max(...sizes)).toBeLessThanOrEqual(maxLogMessageBytes);
    }
  });

  it("gives the longest line a message of its own", () => {
    const long = "\u{1F4A1}".repeat(512);
    expect(logMessages([line(1, long), line(2, long)])).toHaveLength(1);
    const escaped = "\u0001".repeat(1024);
    const messages = logMessages(Array.from({ length: 100 }, (_, id) => line(id, escaped)));
    expect(messages.length).toBeGreaterThan(100 / Math.floor(maxLogMessageBytes / 6144) - 1);
  });
});
