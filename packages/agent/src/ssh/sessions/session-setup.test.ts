import { describe, expect, it } from "vitest";

import { defaultTerminalSize } from "../../terminal/terminal-size.ts";
import { maxVariableBytes, maxVariables, SessionSetup } from "./session-setup.ts";

const terminal = { term: "xterm", size: defaultTerminalSize, modes: new Map<string, number>() };

describe("SessionSetup", () => {
  it.each([
    [[], "ssh"],
    [["SSH"], "ssh"],
    [["", "VSCode"], "vscode"],
    [["vscode", "jetbrains"], "jetbrains"],
    [["emacs"], "unknown"],
  ])("takes the last of the types %j", (types, type) => {
    const setup = new SessionSetup();
    for (const value of types) setup.addVariable("CODER_SSH_SESSION_TYPE", value);
    expect(setup.type).toBe(type);
  });

  it("keeps the variables that speak to the agent from the command", () => {
    const setup = new SessionSetup();
    setup.addVariable("CODER_SSH_SESSION_TYPE", "vscode");
    setup.addVariable("CODER_CONTAINER", "box");
    setup.addVariable("CODER_CONTAINER_USER", "ada");
    setup.addVariable("LANG", "C");
    expect(setup.variables).toEqual({ LANG: "C" });
    expect(setup.container).toEqual({ container: "box", user: "ada" });
  });

  it.each([
    ["", "x"],
    ["A=B", "x"],
    ["A\0", "x"],
    ["A", "x\0"],
    ["A", "x".repeat(maxVariableBytes)],
  ])("refuses the variable %j", (name, value) => {
    expect(new SessionSetup().addVariable(name, value)).toBe(false);
  });

  it("refuses variables beyond the limit, also under one name", () => {
    const setup = new SessionSetup();
    for (let index = 0; index < maxVariables; index += 1) {
      expect(setup.addVariable(`V${index}`, "x")).toBe(true);
    }
    expect(setup.addVariable("MORE", "x")).toBe(false);
    expect(setup.addVariable("V0", "y".repeat(maxVariableBytes / 2))).toBe(true);
    expect(setup.addVariable("V0", "y".repeat(maxVariableBytes / 2))).toBe(false);
  });

  it("takes one terminal, and sizes that a terminal can have", () => {
    const setup = new SessionSetup();
    expect(setup.resize(10, 10)).toBe(false);
    expect(setup.setTerminal(terminal)).toBe(true);
    expect(setup.setTerminal(terminal)).toBe(false);
    expect(setup.resize(0, 10)).toBe(false);
    expect(setup.resize(100_000, 10)).toBe(true);
    expect(setup.terminal?.size).toEqual({ columns: 65_535, rows: 10 });
  });
});
