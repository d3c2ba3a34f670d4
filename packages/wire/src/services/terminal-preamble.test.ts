import { expect, it } from "vitest";

import { encodeTerminalPreamble, maxPreambleBytes } from "./terminal-preamble.ts";

const start = {
  ID: "f0d1a9c4-5b1e-4f53-9c1a-0b7a4d8e2c11",
  Height: 24,
  Width: 80,
  Command: "",
  Container: "",
  ContainerUser: "",
  BackendType: "",
  Viewer: undefined,
  Received: undefined,
} as const;

it("begins with the length of the JSON, little-endian, in bytes rather than characters", () => {
  const bytes = encodeTerminalPreamble({ ...start, Command: "é" });
  const json = JSON.stringify({ ...start, Command: "é" });
  expect([...bytes.subarray(0, 2)]).toEqual([json.length + 1, 0]);
  expect(new TextDecoder().decode(bytes.subarray(2))).toBe(json);
});

it("takes as much as its length can say, and no more", () => {
  const room = maxPreambleBytes - JSON.stringify(start).length;
  const longest = encodeTerminalPreamble({ ...start, Command: "x".repeat(room) });
  expect([...longest.subarray(0, 2)]).toEqual([255, 255]);
  expect(() => encodeTerminalPreamble({ ...start, Command: "x".repeat(room + 1) })).toThrow(
    RangeError,
  );
});
