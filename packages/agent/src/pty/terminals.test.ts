import { expect, it } from "vitest";

import { shellCommand } from "../../tests/support/command-host.ts";
import { withUtf8 } from "./terminals.ts";

const utf8 = process.platform === "darwin" ? "UTF-8" : "C.UTF-8";

it.each([
  [{}],
  [{ LANG: "C" }],
  [{ LANG: "de_DE.ISO-8859-1", TERM: "xterm" }],
  [{ LANG: "de_DE.UTF-8", LC_CTYPE: "C" }],
  [{ LANG: "de_DE", LC_ALL: "" }],
])("sets the character set of a command with %j, and nothing else", (environment) => {
  const command = { ...shellCommand(""), environment };
  const wanted = { ...command, environment: { ...environment, LC_CTYPE: utf8 } };
  expect(withUtf8(command)).toEqual(wanted);
});

it.each([
  [{ LANG: "de_DE.UTF-8" }],
  [{ LANG: "de_DE.utf8" }],
  [{ LC_CTYPE: "C.utf8" }],
  [{ LANG: "C", LC_CTYPE: "en_US.UTF-8" }],
  // It overrides any other value.
  [{ LC_ALL: "C" }],
  [{ LC_ALL: "en_US.UTF-8", LC_CTYPE: "C" }],
])("leaves a command alone with %j", (environment) => {
  const command = { ...shellCommand(""), environment };
  expect(withUtf8(command)).toEqual(command);
});
