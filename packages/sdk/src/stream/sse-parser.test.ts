import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { maxSseChars, SseError, type SseEvent, SseParser } from "./sse-parser.ts";

function parse(...pieces: string[]): SseEvent[] {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

describe("SseParser", () => {
  it("reads events with and without data, whatever their lines end with", () => {
    const lines = ["event: ping", "", "event: data", "data: 1", "", ""];
    const events = [
      { type: "ping", data: "" },
      { type: "data", data: "1" },
    ];
    for (const end of ["\n", "\r\n", "\r"]) expect(parse(lines.join(end))).toEqual(events);
  });

  it("passes over comments, ids, retry times, unknown fields and a byte order mark", () => {
    const text = "\uFEFF: hello\nid: 7\nretry: 10\nwhat: ever\nnothing\ndata:x\n\n: bye\n\n";
    expect(parse(text)).toEqual([{ type: "message", data: "x" }]);
  });

  it("joins the lines of data, and takes one space off each", () => {
    expect(parse("data: a\ndata\ndata:  b\n\n")).toEqual([{ type: "message", data: "a\n\n b" }]);
  });

  it("drops an event that the stream ends in the middle of", () => {
    expect(parse("event: data\ndata: 1\n")).toEqual([]);
  });

  it("finds the same events however the text is cut", () => {
    const text =
      'event: ping\r\n\r\nid: 1\revent: data\rdata: {"a":\rdata: 1}\r\r\n\n: x\ndata: ü\n\n';
    const whole = parse(text);
    expect(whole.map(({ type }) => type)).toEqual(["ping", "data", "message"]);
    const cuts = fc.uniqueArray(fc.integer({ min: 0, max: text.length }));
    fc.assert(
      fc.property(cuts, (positions) => {
        const ends = [...positions.toSorted((a, b) => a - b), text.length];
        const pieces = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
        expect(parse(...pieces)).toEqual(whole);
      }),
    );
  });

  it("throws nothing but its own error, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (pieces) => {
        for (const { type } of parse(...pieces)) expect(type).not.toBe("");
      }),
    );
  });

  it("refuses a line and an event beyond the limit", () => {
    const long = "x".repeat(maxSseChars + 1);
    expect(() => parse(long)).toThrow(SseError);
    const line = `data: ${"x".repeat(maxSseChars / 2)}\n`;
    expect(() => parse(line, line)).toThrow(/event has \d+ characters/);
    expect(new SseParser(maxSseChars * 2).push(`${line}${line}\n`)).toHaveLength(1);
    // The limit applies to each event.
    expect(parse(`${line}\n`, `${line}\n`)).toHaveLength(2);
  });
});
