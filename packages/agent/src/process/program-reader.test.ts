import { expect, it } from "vitest";

import { ProgramReader } from "./program-reader.ts";

it("passes on lines, however they are split", () => {
  for (const size of [1, 2, 3, 100]) {
    const lines: string[] = [];
    const reader = new ProgramReader({ maxBytes: 10, onLine: (line) => void lines.push(line) });
    const bytes = Buffer.from("one\n\ntwö\nlast");
    for (let start = 0; start < bytes.length; start += size) {
      reader.take("stdout", bytes.subarray(start, start + size));
    }
    expect(reader.end()).toEqual({ stdout: "", error: "" });
    expect(lines).toEqual(["one", "", "twö", "last"]);
  }
});

it("ends at an output, or a line, that exceeds the limit, and keeps nothing of the rest", () => {
  const whole = new ProgramReader({ maxBytes: 4 });
  whole.take("stdout", Buffer.from("1234"));
  expect(whole.excess.aborted).toBe(false);
  whole.take("stdout", Buffer.from("5"));
  expect(whole.excess.aborted).toBe(true);
  expect(whole.end().stdout).toBe("1234");
  const lines: string[] = [];
  const byLines = new ProgramReader({ maxBytes: 4, onLine: (line) => void lines.push(line) });
  byLines.take("stdout", Buffer.from("123\n456\n"));
  expect(byLines.excess.aborted).toBe(false);
  byLines.take("stdout", Buffer.from("12345"));
  expect(byLines.excess.aborted).toBe(true);
});

it("shows the start of an error on one printable line", () => {
  const reader = new ProgramReader({ maxBytes: 4 });
  reader.take("stderr", Buffer.from("first\n\u001b[2Jsecond\n"));
  reader.take("stderr", Buffer.alloc(1_000_000, "x"));
  reader.take("stderr", Buffer.alloc(1_000_000, "y"));
  const { error } = reader.end();
  expect(error).toMatch(/^first second x+$/);
  expect(error).toHaveLength(500);
});
