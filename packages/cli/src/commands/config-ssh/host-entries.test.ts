import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { hostEntries } from "./host-entries.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-host-entries-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

/** A command that prints its arguments, in a place whose name is awkward. */
function awkwardCommand(): readonly string[] {
  const script = join(folder, 'it\'s 100% "odd" $HOME.sh');
  writeFileSync(script, 'for word in "$@"; do echo "=$word" >&2; done\n');
  return ["/bin/sh", script, "ssh", "--stdio"];
}

/** Has OpenSSH connect to a host by these entries; returns what the command has printed. */
function connect(host: string, lines: readonly string[]): string {
  const file = join(folder, "config");
  writeFileSync(file, `${lines.join("\n")}\n`);
  try {
    execFileSync("ssh", ["-F", file, host], { encoding: "utf8", stdio: "pipe" });
    return "connected";
  } catch (error) {
    return error instanceof Error ? String(Reflect.get(error, "stderr")) : "";
  }
}

/** Returns what OpenSSH makes of these entries for a host. */
function optionsFor(host: string, lines: readonly string[]): string {
  const file = join(folder, "config");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return execFileSync("ssh", ["-F", file, "-G", host], { encoding: "utf8" });
}

it("has OpenSSH run the command, wherever it is, with the host", () => {
  const lines = hostEntries({
    prefix: "coder.",
    suffix: "slipway",
    options: [],
    command: awkwardCommand(),
  });
  const words = (...expected: string[]): string => expected.map((word) => `=${word}\n`).join("");
  expect(connect("demo.slipway", lines)).toContain(
    words("ssh", "--stdio", "--hostname-suffix", "slipway", "demo.slipway"),
  );
  expect(connect("coder.ada--demo", lines)).toContain(
    words("ssh", "--stdio", "--ssh-host-prefix", "coder.", "coder.ada--demo"),
  );
});

it("takes the first of each option, and all that add up", () => {
  const lines = hostEntries({
    prefix: undefined,
    suffix: "slipway",
    options: [
      { name: "connecttimeout", value: "7" },
      { name: "ConnectTimeout", value: "8" },
      { name: "SendEnv", value: "A" },
      { name: "sendenv", value: "B" },
    ],
    command: ["slipway"],
  });
  const options = optionsFor("demo.slipway", lines);
  expect(options).toMatch(/^connecttimeout 7$/m);
  expect(options).toMatch(/^stricthostkeychecking false$/m);
  expect(options).toMatch(/^sendenv A$/m);
  expect(options).toMatch(/^sendenv B$/m);
  expect(optionsFor("demo.example.com", lines)).not.toContain("proxycommand");
});

it.each(["'$(touch PWNED)'.slipway", "';touch PWNED;'.slipway", "$(touch PWNED).slipway"])(
  "runs nothing of a host called %s",
  (name) => {
    const pwned = join(folder, "pwned");
    const lines = hostEntries({
      prefix: undefined,
      suffix: "slipway",
      options: [],
      command: awkwardCommand(),
    });
    connect(name.replace("PWNED", pwned), lines);
    expect(existsSync(pwned)).toBe(false);
  },
);
