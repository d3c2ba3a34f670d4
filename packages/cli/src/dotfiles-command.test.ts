import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type Answer, memoryTerminal } from "../tests/support/memory-terminal.ts";
import { noOpener } from "../tests/support/recorded-opener.ts";
import { runCommandLine } from "./command/run-command-line.ts";
import { commandTable } from "./gen/workspace-table.ts";

/* With a real Git, and repositories on this machine. */

let root = "";
let home = "";
/** The clone in the home directory. */
let clone = "";
let variables: Readonly<Record<string, string>> = {};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-dotfiles-"));
  home = join(root, "home");
  clone = join(home, ".config/slipway/dotfiles");
  variables = {};
  await mkdir(home);
});
afterEach(() => rm(root, { recursive: true }));

const author = {
  GIT_AUTHOR_NAME: "ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    // Faster than the copy of a file for each hook.
    GIT_TEMPLATE_DIR: "",
    ...author,
    ...variables,
  };
}

function git(directory: string, ...words: readonly string[]): string {
  return execFileSync("git", words, { cwd: directory, env: environment(), encoding: "utf8" });
}

/** Commits files to a repository, which is made if it does not exist. A file ending in `!` is executable. */
async function commit(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory, { recursive: true });
  if (!existsSync(join(directory, ".git"))) git(directory, "init", "--quiet", "-b", "main");
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path.replace(/!$/, ""));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, path.endsWith("!") ? 0o755 : 0o644);
  }
  git(directory, "add", "--all");
  git(directory, "commit", "--quiet", "--message=more");
  return directory;
}

interface Result {
  readonly code: number;
  readonly err: string;
}

/** Runs the command of workspaces, without a login; with answers on a terminal. */
async function dotfiles(words: readonly string[], answers?: readonly Answer[]): Promise<Result> {
  const terminal = memoryTerminal(answers);
  const { signal } = new AbortController();
  const code = await runCommandLine(commandTable, ["dotfiles", ...words], {
    terminal,
    environment: environment(),
    clock: systemClock,
    signal,
    interruption: { interrupted: new Promise<never>(() => undefined), forced: signal },
    opener: noOpener,
  });
  return { code, err: terminal.errText() };
}

const read = (path: string): Promise<string> => readFile(join(home, path), "utf8");

describe("links", () => {
  it("are made for all dotfiles but those of Git, and follow the repository", async () => {
    const repository = await commit("dots", {
      ".bashrc": "one",
      ".gitconfig": "[user]",
      ".gitignore": "x",
      ".config/tool/settings": "a",
      "readme.md": "",
    });
    expect(await dotfiles(["-y", repository])).toMatchObject({ code: 0 });
    expect((await readdir(home)).toSorted()).toEqual([".bashrc", ".config", ".gitconfig"]);
    expect(await readlink(join(home, ".bashrc"))).toBe(join(clone, ".bashrc"));
    expect(await readlink(join(home, ".config/tool"))).toBe(join(clone, ".config/tool"));
    await commit("dots", { ".bashrc": "two", ".vimrc": "new" });
    expect(await dotfiles(["-y", repository])).toMatchObject({ code: 0 });
    expect([await read(".bashrc"), await read(".vimrc")]).toEqual(["two", "new"]);
    const again = await dotfiles(["-y", repository]);
    expect(again.err).toContain("all dotfiles are linked");
    expect((await readdir(home)).toSorted()).toEqual([
      ".bashrc",
      ".config",
      ".gitconfig",
      ".vimrc",
    ]);
  });

  it("keep what they replace, also from an earlier time", async () => {
    const repository = await commit("dots", { ".bashrc": "new", ".vim/a": "new", ".zshrc": "new" });
    await writeFile(join(home, ".bashrc"), "old");
    await writeFile(join(home, ".bashrc.bak"), "older");
    await writeFile(join(home, ".vim"), "a file");
    await symlink("/etc/passwd", join(home, ".zshrc"));
    const { code, err } = await dotfiles([repository], [true]);
    expect(err).toContain(`? Link 3 dotfiles into ${home}? 3 existing ones will be kept as .bak.`);
    expect(code).toBe(0);
    expect(
      await Promise.all([".bashrc", ".bashrc.bak", ".bashrc.bak2", ".vim.bak"].map(read)),
    ).toEqual(["new", "older", "old", "a file"]);
    expect(await readlink(join(home, ".zshrc.bak"))).toBe("/etc/passwd");
    expect(err).toContain(`linked ${home}/.bashrc, the old one is ${home}/.bashrc.bak2\n`);
  });

  it("do not follow a link out of the directory", async () => {
    const repository = await commit("dots", { ".config/tool": "new", ".ssh/config": "new" });
    const outside = join(root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "config"), "theirs");
    await symlink(outside, join(home, ".ssh"));
    expect(await dotfiles(["-y", repository])).toMatchObject({ code: 0 });
    expect(await readdir(outside)).toEqual(["config"]);
    expect(await readFile(join(outside, "config"), "utf8")).toBe("theirs");
    expect(await read(".ssh/config")).toBe("new");
  });

  it("are not made through a link in the repository", async () => {
    const repository = await commit("dots", { ".bashrc": "new" });
    await symlink("/etc", join(repository, ".config"));
    await commit("dots", {});
    expect(await dotfiles(["-y", repository])).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        `cannot replace ${home}/.config: the clone of the dotfiles is in it`,
      ),
    });
    expect(await readdir(home)).toEqual([".config"]);
  });

  it("never lead into the clone itself", async () => {
    const repository = await commit("dots", { ".config/slipway/dotfiles/.bashrc": "x" });
    expect(await dotfiles(["-y", repository])).toMatchObject({
      code: 1,
      err: expect.stringContaining("it is in the clone of the dotfiles"),
    });
    expect((await lstat(join(clone, ".config"))).isDirectory()).toBe(true);
  });

  it("go to another directory if told so, which must exist", async () => {
    const repository = await commit("dots", { ".bashrc": "x" });
    const other = join(root, "other");
    expect(await dotfiles(["-y", repository, "--symlink-dir", other])).toMatchObject({ code: 4 });
    await mkdir(other);
    variables = { CODER_SYMLINK_DIR: other, CODER_DOTFILES_REPO_DIR: "../elsewhere" };
    expect(await dotfiles(["-y", repository])).toMatchObject({ code: 0 });
    expect(await readlink(join(other, ".bashrc"))).toBe(join(home, ".config/elsewhere/.bashrc"));
  });

  it("are made for any name, and a message moves no terminal", async () => {
    const name = ".a\n\u001b[2Jb";
    const repository = await commit("dots", { [name]: "x" });
    const { code, err } = await dotfiles(["-y", repository]);
    expect([code, await read(name)]).toEqual([0, "x"]);
    expect(err).not.toContain("\u001b");
  });
});

describe("the install script", () => {
  const script = '#!/bin/sh\npwd > "$HOME/ran"\necho $0 >> "$HOME/ran"\n';

  it("is run in the clone, in place of links", async () => {
    const repository = await commit("dots", {
      "script/setup!": "exit 1",
      "setup.sh!": script,
      ".bashrc": "x",
    });
    const { code, err } = await dotfiles([repository], [true]);
    expect(err).toContain("? Run setup.sh of the dotfiles? (no)");
    expect(code).toBe(0);
    expect(await read("ran")).toBe(`${clone}\n${clone}/setup.sh\n`);
    expect(await readdir(home)).not.toContain(".bashrc");
  });

  it("may lack a first line, and be a link in the repository", async () => {
    const repository = await commit("dots", { "scripts/all!": "echo yes > $HOME/ran\n" });
    await symlink("scripts/all", join(repository, "install"));
    await commit("dots", {});
    expect(await dotfiles(["-y", repository])).toMatchObject({ code: 0 });
    expect(await read("ran")).toBe("yes\n");
  });

  it.each([
    ["install.sh", "exit 0", "install.sh of the dotfiles is not executable"],
    ["install.sh!", "#!/bin/sh\nexit 7", "install.sh of the dotfiles ended with 7"],
    ["install.sh!", "#!/absent/sh\n", "cannot run"],
  ])("fails as %s with %j", async (name, text, problem) => {
    const repository = await commit("dots", { [name]: text });
    const { code, err } = await dotfiles(["-y", repository]);
    expect(code).toBe(1);
    expect(err).toContain(problem);
  });

  it("is not run if it leads out of the repository", async () => {
    const outside = join(root, "outside.sh");
    await writeFile(outside, script, { mode: 0o755 });
    const repository = await commit("dots", { ".bashrc": "x" });
    await symlink(outside, join(repository, "install.sh"));
    await commit("dots", {});
    const { code, err } = await dotfiles(["-y", repository]);
    expect(code).toBe(1);
    expect(err).toContain("leads out of the repository");
    expect(await readdir(home)).not.toContain("ran");
  });
});

describe("the clone", () => {
  it("of another repository is renamed, after the new one is complete", async () => {
    const first = await commit("first", { ".bashrc": "first" });
    await dotfiles(["-y", first]);
    const absent = join(root, "absent");
    expect(await dotfiles(["-y", absent])).toMatchObject({ code: 1 });
    expect(await read(".bashrc")).toBe("first");
    const second = await commit("second", { ".bashrc": "second" });
    const refused = await dotfiles([second], [false]);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining(`? ${clone} has the dotfiles of ${first}. Rename it to `),
    });
    expect(await read(".bashrc")).toBe("first");
    expect(await dotfiles(["-y", second])).toMatchObject({ code: 0 });
    expect(await read(".bashrc")).toBe("second");
    const [, backup = ""] = (await readdir(dirname(clone))).toSorted();
    expect(backup).toMatch(/^dotfiles_backup_\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(await readFile(join(dirname(clone), backup, ".bashrc"), "utf8")).toBe("first");
    expect(await readdir(dirname(clone))).toHaveLength(2);
  });

  it("may have another remote, and stays as it is if it cannot be updated", async () => {
    const repository = await commit("dots", { ".bashrc": "one" });
    await dotfiles(["-y", repository]);
    git(clone, "remote", "set-url", "origin", join(root, "absent"));
    await rm(join(home, ".bashrc"));
    const { code, err } = await dotfiles(["-y", repository]);
    expect(code).toBe(0);
    expect(err).toContain("git pull failed: installing the dotfiles as they are");
    expect(await read(".bashrc")).toBe("one");
  });

  it("has the wanted branch, at first and later", async () => {
    const repository = await commit("dots", { ".bashrc": "main" });
    git(repository, "checkout", "--quiet", "-b", "work");
    await commit("dots", { ".bashrc": "work" });
    await dotfiles(["-y", repository, "-b", "work"]);
    expect(await read(".bashrc")).toBe("work");
    await dotfiles(["-y", repository, "--branch=main"]);
    expect(await read(".bashrc")).toBe("main");
    git(repository, "checkout", "--quiet", "-b", "later");
    await commit("dots", { ".bashrc": "later" });
    await dotfiles(["-y", repository, "--branch=later"]);
    expect(await read(".bashrc")).toBe("later");
  });

  it("does not replace anything else", async () => {
    const repository = await commit("dots", { ".bashrc": "x" });
    await mkdir(clone, { recursive: true });
    await writeFile(join(clone, "mine"), "precious");
    const { code, err } = await dotfiles(["-y", repository]);
    expect(code).toBe(1);
    expect(err).toContain(`${clone} exists and is not a clone`);
    // Nor a directory in a repository, such as a home directory that is one.
    git(home, "init", "--quiet");
    expect(await dotfiles(["-y", repository])).toMatchObject({ code: 1 });
    expect(await readFile(join(clone, "mine"), "utf8")).toBe("precious");
  });

  it("lacks a submodule that may not be fetched", async () => {
    const secret = await commit("secret", { a: "x" });
    const repository = await commit("dots", { ".bashrc": "x" });
    git(
      repository,
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "add",
      secret,
      ".vim",
    );
    await commit("dots", {});
    const { code, err } = await dotfiles(["-y", repository]);
    expect(err).toContain("without some submodules");
    expect(code).toBe(0);
    expect(await readdir(join(home, ".vim"))).toEqual([]);
    variables = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "protocol.file.allow",
      GIT_CONFIG_VALUE_0: "always",
    };
    expect(await dotfiles(["-y", repository])).toMatchObject({ code: 0 });
    expect(await read(".vim/a")).toBe("x");
  });

  it("is made in a hook of another repository, too", async () => {
    const repository = await commit("dots", { ".bashrc": "x" });
    const other = await commit("other", { file: "x" });
    variables = { GIT_DIR: join(other, ".git"), GIT_WORK_TREE: other };
    const hook = variables;
    await dotfiles(["-y", repository]);
    variables = {};
    await commit("dots", { ".bashrc": "y" });
    variables = hook;
    await dotfiles(["-y", repository, "--branch=main"]);
    variables = {};
    expect(git(other, "status", "--short")).toBe("");
    expect(await read(".bashrc")).toBe("y");
  });
});

it("trusts unknown hosts, with the ssh of the workspace", async () => {
  const ssh = join(root, "own-ssh");
  await writeFile(ssh, `#!/bin/sh\n[ "$1" = -G ] || echo "$@" > ${root}/words\nexit 255\n`, {
    mode: 0o755,
  });
  variables = { GIT_SSH_COMMAND: `${ssh} --` };
  const { code, err } = await dotfiles(["-y", "git@git.test:ada/dotfiles"]);
  expect(code).toBe(1);
  expect(err).toContain("the repository was not cloned");
  const words = await readFile(join(root, "words"), "utf8");
  expect(words).toContain("-- -o StrictHostKeyChecking=accept-new");
  expect(words).toContain("git@git.test git-upload-pack 'ada/dotfiles'");
  expect(await readdir(dirname(clone))).toEqual([]);
});

it("does not print the password of a repository", async () => {
  const { err } = await dotfiles(["-y", "https://ada:hunter2@127.0.0.1:1/dotfiles"]);
  expect(err).toContain("cloning https://127.0.0.1:1/dotfiles to ");
  expect(err).not.toContain("hunter2");
});

it.each([
  [["--", "--upload-pack=touch ran"], '"--upload-pack=touch ran" is not a repository'],
  [["--", "-u"], '"-u" is not a repository'],
  [[""], '"" is not a repository'],
  [["ext::sh -c touch% ran"], '"ext::sh -c touch% ran" is not a repository'],
  [["fd::17"], '"fd::17" is not a repository'],
  [["https://git.test/x", "--branch=--orphan"], '"--orphan" is not a branch'],
])("refuses %j before anything is done", async (words, problem) => {
  const { code, err } = await dotfiles(["-y", ...words]);
  expect(code).toBe(2);
  expect(err).toContain(problem);
  expect(await readdir(home)).toEqual([]);
});

it("asks, and changes nothing after a no or without a terminal", async () => {
  const repository = await commit("dots", { ".bashrc": "x" });
  expect(await dotfiles([repository])).toMatchObject({
    code: 2,
    err: expect.stringContaining("not a terminal: pass --yes to confirm"),
  });
  expect(await readdir(home)).toEqual([]);
  expect(await dotfiles([repository], [false])).toMatchObject({
    code: 1,
    err: expect.stringContaining("the dotfiles were not installed"),
  });
  expect(await readdir(home)).toEqual([".config"]);
});

it("says that Git is missing", async () => {
  variables = { PATH: "/nowhere" };
  const { code, err } = await dotfiles(["-y", "https://git.test/x"]);
  expect([code, err]).toEqual([1, expect.stringContaining("cannot run git")]);
});
