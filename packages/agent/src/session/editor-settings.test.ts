import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Logger } from "@slipway/runtime";
import { afterAll, expect, it } from "vitest";

import { writeEditorSettings } from "./editor-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-editors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const both = '{\n\t"git.useIntegratedAskPass": false,\n\t"github.gitAuthentication": false\n}\n';
const vscode = ".vscode-server/data/Machine/settings.json";
const cursor = ".cursor-server/data/Machine/settings.json";

interface Home {
  readonly home: string;
  readonly warnings: readonly string[];
  write(path: string, text: string): void;
  read(path: string): string;
  run(environment?: Record<string, string>): Promise<void>;
}

function openHome(): Home {
  const home = mkdtempSync(join(folder, "home-"));
  const warnings: string[] = [];
  const warn = ({ path = "" }: Record<string, unknown>): void => {
    warnings.push(String(path).slice(home.length + 1));
  };
  const nothing = (): void => undefined;
  const logger: Logger = {
    debug: nothing,
    info: nothing,
    warn,
    error: nothing,
    child: () => logger,
  };
  return {
    home,
    warnings,
    write: (path, text) => {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    },
    read: (path) => readFileSync(join(home, path), "utf8"),
    run: (environment = {}) => writeEditorSettings({ home, environment }, logger),
  };
}

it("writes the settings of every editor, for the user alone", async () => {
  const home = openHome();
  await home.run();
  const data = [".vscode", ".vscode-insiders", ".cursor", ".windsurf", ".vscodium"].map(
    (name) => `${name}-server/data`,
  );
  for (const directory of [...data, ".local/share/code-server"]) {
    expect(home.read(`${directory}/Machine/settings.json`)).toBe(both);
  }
  expect(statSync(join(home.home, vscode)).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(join(home.home, vscode))).mode & 0o777).toBe(0o700);
  expect(home.warnings).toEqual([]);
});

it("finds the data of code-server where XDG_DATA_HOME says", async () => {
  const home = openHome();
  await home.run({ XDG_DATA_HOME: join(home.home, "data") });
  expect(home.read("data/code-server/Machine/settings.json")).toBe(both);
});

it("leaves what somebody has chosen, with comments, indentation and permissions", async () => {
  const home = openHome();
  const text =
    '{\n  // Ask me.\n  "git.useIntegratedAskPass": true,\n  "editor.fontSize": 12,\n}\n';
  home.write(vscode, text);
  chmodSync(join(home.home, vscode), 0o640);
  await home.run();
  expect(home.read(vscode)).toBe(
    text.replace("12,\n", '12,\n  "github.gitAuthentication": false,\n'),
  );
  expect(statSync(join(home.home, vscode)).mode & 0o777).toBe(0o640);
  const changed = home.read(vscode);
  await home.run();
  expect(home.read(vscode)).toBe(changed);
});

it("writes into the file behind a link, and into an empty file", async () => {
  const home = openHome();
  home.write("dotfiles/settings.json", "");
  mkdirSync(dirname(join(home.home, vscode)), { recursive: true });
  symlinkSync(join(home.home, "dotfiles/settings.json"), join(home.home, vscode));
  await home.run();
  expect(readlinkSync(join(home.home, vscode))).toBe(join(home.home, "dotfiles/settings.json"));
  expect(home.read("dotfiles/settings.json")).toBe(both);
});

it.each([
  ["text that is not JSON", "{ git"],
  ["a list", "[1]"],
  ["null", "null"],
  ["too much", `{ "a": "${"x".repeat(1024 * 1024)}" }`],
])("names a file with %s, leaves it, and goes on", async (_what, text) => {
  const home = openHome();
  home.write(vscode, text);
  await home.run();
  expect(home.read(vscode)).toBe(text);
  expect(home.warnings).toEqual([vscode]);
  expect(home.read(cursor)).toBe(both);
});

it("does not wait for a pipe or read a directory", async () => {
  const home = openHome();
  mkdirSync(join(home.home, cursor), { recursive: true });
  mkdirSync(dirname(join(home.home, vscode)), { recursive: true });
  execFileSync("mkfifo", [join(home.home, vscode)]);
  await home.run();
  expect(home.warnings).toEqual([vscode, cursor]);
});
