import { expect, it } from "vitest";

import { findUser, isUserName } from "./passwd.ts";

const passwd = [
  "root:x:0:0:root:/root:/bin/bash",
  "ada:x:1000:1000:Ada,,,:/home/ada:/usr/bin/zsh",
  "bare:x:1001:1001:::",
  "broken",
  "",
].join("\n");

it.each([
  ["ada", "/home/ada", "/usr/bin/zsh"],
  ["1000", "/home/ada", "/usr/bin/zsh"],
  ["1000:50", "/home/ada", "/usr/bin/zsh"],
  ["bare", "/", "/bin/sh"],
  ["4242", "/", "/bin/sh"],
])("finds the home and shell of %s", (name, home, shell) => {
  expect(findUser(passwd, name)).toEqual({ name, home, shell });
});

it("takes names, uids and groups for users, and no flags or other words", () => {
  for (const name of ["ada", "_apt", "1000", "1000:1000", "ada:staff", "svc$"]) {
    expect(isUserName(name)).toBe(true);
  }
  for (const name of ["", "-u", "--privileged", "a b", "a\nb", "a:b:c", "a/../b", "x".repeat(65)]) {
    expect(isUserName(name)).toBe(false);
  }
});
