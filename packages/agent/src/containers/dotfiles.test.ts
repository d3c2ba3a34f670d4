import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { findDotfiles, isClonableInside } from "./dotfiles.ts";
import { Engine } from "./engine.ts";

const { signal } = new AbortController();

it("finds the repository that was installed, as it was typed or as its clone names it", async () => {
  const home = mkdtempSync(join(tmpdir(), "slipway-dotfiles-"));
  const commands = openCommandHost();
  onTestFinished(() => {
    commands[Symbol.dispose]();
    rmSync(home, { recursive: true });
  });
  const environment = { HOME: home, PATH: process.env["PATH"] ?? "" };
  const engine = new Engine({
    commands,
    prepare: async () => ({ ...shellCommand("true"), environment }),
  });
  const find = (more: Readonly<Record<string, string>> = {}) =>
    findDotfiles(engine, { ...environment, ...more }, signal);
  expect(await find()).toBeUndefined();
  const clone = join(home, ".config/slipway/dotfiles");
  mkdirSync(clone, { recursive: true });
  const git = (...words: readonly string[]) => execFileSync("git", ["-C", clone, ...words]);
  git("init", "--quiet");
  expect(await find()).toBeUndefined();
  git("config", "remote.origin.url", "git@host:ada/dotfiles");
  expect(await find()).toBe("git@host:ada/dotfiles");
  git("config", "slipway.repository", "https://host/ada/dotfiles");
  expect(await find()).toBe("https://host/ada/dotfiles");
  expect(await find({ CODER_DOTFILES_REPO_DIR: "other" })).toBeUndefined();
  expect(await find({ SLIPWAY_CONFIG_DIR: join(home, ".config/slipway") })).toBe(
    "https://host/ada/dotfiles",
  );
});

it.each([
  ["https://github.com/ada/dotfiles", true],
  ["https://user:secret@host:8443/~ada/dot%20files.git", true],
  ["ssh://git@host/ada/dotfiles", true],
  ["git@github.com:ada/dotfiles.git", true],
  ["/home/ada/dotfiles", false],
  ["file:///home/ada/dotfiles", false],
  ["ext::sh -c id", false],
  ["--upload-pack=id@x:y", false],
  ["https://host/$(id)", false],
  ["https://host/a;id", false],
  ["https://host/a b", false],
  ["https://host/a\nid", false],
  ["ada/dotfiles", false],
])("tells whether %j can be cloned in a container: %s", (repository, isClonable) => {
  expect(isClonableInside(repository)).toBe(isClonable);
});
