import { expect, it } from "vitest";

import { readGitPrompt } from "./gitaskpass.ts";

it.each([
  ["Username for 'https://github.com': ", "username", "https://github.com", false],
  ["Password for 'https://ada@github.com': ", "password", "https://github.com", true],
  [
    "Password for 'http://git.test:8080/a/b.git':",
    "password",
    "http://git.test:8080/a/b.git",
    false,
  ],
  ["Password for 'https://ada:x@git.test/'", "password", "https://git.test/", true],
])("reads %s", (text, wants, url, hasUser) => {
  expect(readGitPrompt(text)).toEqual({ wants, url, hasUser });
});

it.each([
  "",
  "Username for 'ssh://github.com': ",
  "Password for 'github.com': ",
  "Enter passphrase for key '/home/ada/.ssh/id': ",
  "Username for https://github.com",
  "Password for 'file:///etc/passwd': ",
])("takes %j for no question of Git", (text) => {
  expect(readGitPrompt(text)).toBeUndefined();
});
