import { describe, expect, it } from "vitest";

import { buildCommand } from "./command.ts";
import { splitShellWords } from "./shell-words.ts";

describe("buildCommand", () => {
  it("gives a text to the shell", () => {
    expect(buildCommand("/bin/bash", "echo hi\n")).toEqual({
      file: "/bin/bash",
      args: ["-c", "echo hi\n"],
    });
  });

  it("starts a login shell for an empty text", () => {
    expect(buildCommand("/bin/bash", " \n")).toEqual({ file: "/bin/bash", args: ["-l"] });
  });

  it("gives a whole text with #! to its interpreter", () => {
    const text = "\n#!/usr/bin/env -S python3 '-X dev'\nprint(1)";
    expect(buildCommand("/bin/sh", text)).toEqual({
      file: "/usr/bin/env",
      args: ["-S", "python3", "-X dev", "-c", text],
    });
  });

  it.each(["#!", "#! \necho", "#!'open\necho"])(
    "refuses %j, which names no interpreter",
    (text) => {
      expect(() => buildCommand("/bin/sh", text)).toThrow("wanted an interpreter");
    },
  );
});

describe("splitShellWords", () => {
  it("parts words at white space outside of quotes", () => {
    expect(splitShellWords(` a "b c"  'd\\e' f\\ g "h\\"i\\j" ''`)).toEqual([
      "a",
      "b c",
      "d\\e",
      "f g",
      'h"i\\j',
      "",
    ]);
  });

  it("finds a quote that is left open", () => {
    expect(splitShellWords("a 'b")).toBeUndefined();
  });
});
