import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { discoverProjects } from "./discover-projects.ts";
import { Engine } from "./engine.ts";

const { signal } = new AbortController();

interface Tree {
  readonly directory: string;
  readonly add: (path: string, text?: string) => void;
  /** Resolves to the folders and configurations that are found, without the directory. */
  readonly discover: (path?: string) => Promise<readonly string[]>;
}

function openTree(...repositories: readonly string[]): Tree {
  const directory = mkdtempSync(join(tmpdir(), "slipway-projects-"));
  const commands = openCommandHost();
  onTestFinished(() => {
    commands[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });
  for (const name of repositories) execFileSync("git", ["init", "-q", join(directory, name)]);
  const engine = new Engine({ commands, prepare: async () => shellCommand("true") });
  return {
    directory,
    add: (path, text = "{}") => {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    },
    discover: async (path = "") => {
      const found = await discoverProjects(join(directory, path), engine, signal);
      const short = (text = ""): string => text.slice(directory.length + 1);
      return found.map(({ folder, configPath }) => `${short(folder)} ${short(configPath)}`);
    },
  };
}

it("finds the projects of a repository, wherever they are in it", async () => {
  const { add, discover } = openTree("r");
  add("r/.devcontainer/devcontainer.json");
  add("r/packages/api/.devcontainer.json");
  add("r/.devcontainer/other/devcontainer.json");
  expect(await discover("r")).toEqual([
    "r r/.devcontainer/devcontainer.json",
    "r/packages/api r/packages/api/.devcontainer.json",
  ]);
});

it("looks into the repositories right below a directory, and leaves out what Git ignores", async () => {
  const { add, discover } = openTree("one", "two", "deep/three");
  for (const name of ["one", "two", "deep/three", "none"]) add(`${name}/.devcontainer.json`);
  add("one/vendor/.devcontainer.json");
  add("one/.gitignore", "vendor\n");
  expect((await discover()).toSorted()).toEqual([
    "one one/.devcontainer.json",
    "two two/.devcontainer.json",
  ]);
});

it("finds none in a directory that is missing, or that is no repository", async () => {
  const { add, discover } = openTree();
  add("plain/.devcontainer.json");
  expect(await discover("missing")).toEqual([]);
  expect(await discover()).toEqual([]);
});
