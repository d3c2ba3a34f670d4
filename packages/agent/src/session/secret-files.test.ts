import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Logger, silentLogger } from "@slipway/runtime";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { writeSecretFiles } from "./secret-files.ts";

let folder: string;
let path: string;
let warnings: string[];
let logger: Logger;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-secrets-"));
  path = join(folder, "token");
  warnings = [];
  logger = { ...silentLogger, warn: (_, message) => warnings.push(message) };
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

async function write(...secrets: readonly string[]): Promise<void> {
  await writeSecretFiles(
    secrets.map((content) => ({ path, content: Buffer.from(content) })),
    logger,
  );
}

it("makes a file for its user alone, whose last secret wins and leaves nothing of a longer one", async () => {
  path = join(folder, "new", "token");
  await write("a long secret", "short");
  expect(readFileSync(path, "utf8")).toBe("short");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "new")).mode & 0o777).toBe(0o700);
});

it("writes through a link that the user has made in a directory of theirs", async () => {
  mkdirSync(join(folder, "dotfiles"));
  writeFileSync(join(folder, "dotfiles", "token"), "old");
  symlinkSync("dotfiles/token", path);
  await write("new");
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, "dotfiles", "token"), "utf8")).toBe("new");
});

describe("leaves alone", () => {
  it("a link where everybody may put one", async () => {
    chmodSync(folder, 0o777);
    writeFileSync(join(folder, "bashrc"), "precious");
    symlinkSync("bashrc", path);
    await write("secret");
    expect(readFileSync(path, "utf8")).toBe("precious");
    expect(warnings).toEqual(["cannot write secret file"]);
  });

  it("a link to nothing", async () => {
    symlinkSync("nowhere", path);
    await write("secret");
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
    expect(warnings).toHaveLength(1);
  });

  it("a file with another name, which may be another's", async () => {
    writeFileSync(join(folder, "other"), "precious");
    linkSync(join(folder, "other"), path);
    await write("secret");
    expect(readFileSync(path, "utf8")).toBe("precious");
    expect(warnings).toHaveLength(1);
  });

  it("a pipe, without a wait", async () => {
    execFileSync("mkfifo", [path]);
    await write("secret");
    expect(warnings).toHaveLength(1);
  });

  it.runIf(process.geteuid?.() === 0)("a file that another user reads", async () => {
    writeFileSync(path, "theirs");
    execFileSync("chown", ["12345", path]);
    await write("secret");
    expect(readFileSync(path, "utf8")).toBe("theirs");
    expect(warnings).toHaveLength(1);
  });
});
