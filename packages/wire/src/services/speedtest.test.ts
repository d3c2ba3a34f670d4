import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { encodeUtf8, parseUtf8 } from "../bytes/utf8.ts";
import {
  SpeedtestError,
  LineCollector,
  maxLineBytes,
  checkSpeedtestAnswer,
  encodeSpeedtestAnswer,
  encodeSpeedtestRequest,
  maxSpeedtestMs,
  parseSpeedtestRequest,
} from "./speedtest.ts";

const newline = 0x0a;

describe("the request of a speed test", () => {
  it("is the line of the specification", () => {
    expect(parseUtf8(encodeSpeedtestRequest({ direction: "upload", durationMs: 5000 }))).toBe(
      '{"version":2,"time":5000000000,"direction":1}\n',
    );
  });

  it("comes back as it was", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("download" as const, "upload" as const),
        fc.integer({ min: 0, max: maxSpeedtestMs }),
        (direction, durationMs) => {
          const line = encodeSpeedtestRequest({ direction, durationMs });
          expect(line.at(-1)).toBe(newline);
          expect(parseSpeedtestRequest(line.subarray(0, -1))).toEqual({ direction, durationMs });
        },
      ),
    );
  });

  it.each([
    ['{"version":1,"time":1,"direction":0}', "version 1, wanted 2"],
    ['{"version":2,"time":-1,"direction":0}', "time -1"],
    ['{"version":2,"time":1e18,"direction":0}', "time 1000000000000000000"],
    ['{"version":2,"time":1,"direction":2}', "direction 2"],
    ["[]", "not a JSON object"],
    ["{", "not JSON"],
  ])("refuses %s", (line, message) => {
    expect(() => parseSpeedtestRequest(encodeUtf8(line))).toThrow(message);
  });

  it("throws only its own error for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(() => parseSpeedtestRequest(bytes)).toThrow(SpeedtestError);
      }),
    );
  });
});

describe("the answer of a speed test", () => {
  it("lets the test begin, or says why not", () => {
    const line = (refusal?: string): Uint8Array => encodeSpeedtestAnswer(refusal).subarray(0, -1);
    expect(parseUtf8(line())).toBe("{}");
    expect(() => checkSpeedtestAnswer(line())).not.toThrow();
    expect(() => checkSpeedtestAnswer(line("no"))).toThrow(
      expect.objectContaining({ code: "refused", message: "no" }),
    );
    expect(() => checkSpeedtestAnswer(encodeUtf8('{"error":1}'))).toThrow(SpeedtestError);
  });
});

describe("LineCollector", () => {
  it("finds the line however it is cut, and the bytes after it", () => {
    const bytes = encodeUtf8("{}\nrest");
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const collector = new LineCollector();
      const first = collector.receive(bytes.subarray(0, cut));
      const found = first ?? collector.receive(bytes.subarray(cut));
      expect(parseUtf8(found?.line ?? new Uint8Array())).toBe("{}");
      expect(found?.rest.length).toBe(first === undefined ? 4 - Math.max(0, cut - 3) : cut - 3);
    }
  });

  it("refuses a line longer than the limit", () => {
    const collector = new LineCollector();
    expect(collector.receive(new Uint8Array(maxLineBytes))).toBeUndefined();
    expect(() => collector.receive(new Uint8Array(1))).toThrow("wanted at most");
  });
});
