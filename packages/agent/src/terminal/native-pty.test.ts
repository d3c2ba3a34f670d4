import { closeSync } from "node:fs";

import { expect, it } from "vitest";

import { loadNativePty, resizeTerminal } from "./native-pty.ts";
import { defaultTerminalSize } from "./terminal-size.ts";

it("resizes a terminal, and tells when it has hung up", () => {
  const { native } = loadNativePty();
  const { master, slave } = native.open(80, 24);
  expect(resizeTerminal(native, master, { columns: 100, rows: 50 })).toBe(true);
  closeSync(slave);
  closeSync(master);
  expect(resizeTerminal(native, master, defaultTerminalSize)).toBe(false);
});

it("passes on any other error of the native module", () => {
  const broken = {
    resize: () => {
      throw new Error("Usage: pty.resize(fd, cols, rows)");
    },
  };
  expect(() => resizeTerminal(broken, 0, defaultTerminalSize)).toThrow("Usage");
});
