import { expect, it } from "vitest";

import { shellCommand } from "../../tests/support/command-host.ts";
import { withUtf8 } from "./locale.ts";

it.each([
  [{}, true],
  [{ LANG: "C" }, true],
  [{ LANG: "de_DE.UTF-8" }, false],
  [{ LANG: "de_DE.UTF-8", LC_CTYPE: "C" }, true],
  [{ LC_CTYPE: "C.utf8" }, false],
  [{ LC_ALL: "C" }, false],
])("sets the character set of a command with %j: %j", (environment, isSet) => {
  const command = { ...shellCommand(""), environment };
  const { LC_CTYPE: characterSet } = withUtf8(command).environment;
  expect(characterSet?.endsWith("UTF-8") === true).toBe(isSet);
});
