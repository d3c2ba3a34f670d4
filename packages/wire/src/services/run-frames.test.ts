import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  encodeRunCommand,
  encodeRunEvent,
  parseRunCommand,
  parseRunEvent,
  type RunCommand,
  type RunEvent,
  RunFrameError,
} from "./run-frames.ts";

const position = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 64 });
const size = fc.integer({ min: 0, max: 65_535 });

const event: fc.Arbitrary<RunEvent> = fc.oneof(
  fc.record({ type: fc.constant("state" as const), json: fc.string({ unit: "grapheme" }) }),
  fc.record({
    type: fc.constant("output" as const),
    stream: fc.constantFrom("stdout" as const, "stderr" as const),
    position,
    bytes,
  }),
  fc.record({ type: fc.constantFrom("gap" as const, "taken" as const), position }),
);

const command: fc.Arbitrary<RunCommand> = fc.oneof(
  fc.record({ type: fc.constant("input" as const), position, bytes }),
  fc.record({ type: fc.constant("close-input" as const), position }),
  fc.record({ type: fc.constant("resize" as const), columns: size, rows: size }),
  fc.record({ type: fc.constant("signal" as const), name: fc.string() }),
);

describe("the frames of runs", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(event, (one) => {
        expect(parseRunEvent(encodeRunEvent(one))).toEqual(one);
      }),
    );
    fc.assert(
      fc.property(command, (one) => {
        expect(parseRunCommand(encodeRunCommand(one))).toEqual(one);
      }),
    );
  });

  it("have the layout of the documentation", () => {
    const output = { type: "output", stream: "stderr", position: 0x1_0000_0002 } as const;
    expect([...encodeRunEvent({ ...output, bytes: Uint8Array.of(7) })]).toEqual([
      2, 1, 0, 0, 0, 1, 0, 0, 0, 2, 7,
    ]);
    expect([...encodeRunCommand({ type: "resize", columns: 258, rows: 3 })]).toEqual([
      18, 1, 2, 0, 3,
    ]);
  });

  it("are refused when cut", () => {
    const whole = encodeRunEvent({ type: "gap", position: 5 });
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => parseRunEvent(whole.subarray(0, length))).toThrow(RunFrameError);
    }
    const input = encodeRunCommand({ type: "input", position: 5, bytes: new Uint8Array() });
    for (let length = 0; length < input.length; length += 1) {
      expect(() => parseRunCommand(input.subarray(0, length))).toThrow(RunFrameError);
    }
  });

  it.each([
    [[2, 2, 0, 0, 0, 0, 0, 0, 0, 0]],
    [[3, 0, 0x20, 0, 0, 0, 0, 0, 0]],
    [[1, 0xff]],
    [[3, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    [[16]],
    [[0]],
  ])("refuse %j", (message) => {
    expect(() => parseRunEvent(Uint8Array.from(message))).toThrow(RunFrameError);
  });

  it("throw only their own error for any bytes", () => {
    const failureOf = (parse: (bytes: Uint8Array) => unknown, message: Uint8Array): unknown => {
      try {
        parse(message);
        return undefined;
      } catch (error) {
        return error;
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 32 }), (message) => {
        for (const parse of [parseRunEvent, parseRunCommand]) {
          const failure = failureOf(parse, message);
          expect(failure === undefined || failure instanceof RunFrameError).toBe(true);
        }
      }),
    );
  });
});
