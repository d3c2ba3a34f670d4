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

/** A command that prints its arguments, at a path that needs quoting. */
function awkwardCommand(): readonly string[] {
  const script = join(folder, 'it\'s 100% "odd" $HOME.sh');
  writeFileSync(script, 'for word in "$@"; do echo "=$word" >&2; done\n');
  return ["/bin/sh", script, "ssh", "--stdio"];
}

/** Connects OpenSSH to a host with these entries; returns the command's output. */
function connect(host: string, lines: readonly string[]): string {
  const file = join(folder, "config");
  writeFileSync(file, `${lines.join("\n")}\n`);
  try {
    execFileSync("ssh", ["-F", file, host], { encoding: "utf8", stdio: "pipe", cwd: folder });
    return "connected";
  } catch (error) {
    return error instanceof Error ? String(Reflect.get(error, "stderr")) : "";
  }
}

/** Returns OpenSSH's configuration for a host with these entries. */
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
    hosts: undefined,
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
    hosts: undefined,
    command: ["slipway"],
  });
  const options = optionsFor("demo.slipway", lines);
  expect(options).toMatch(/^connecttimeout 7$/m);
  expect(options).toMatch(/^stricthostkeychecking false$/m);
  expect(options).toMatch(/^sendenv A$/m);
  expect(options).toMatch(/^sendenv B$/m);
  expect(optionsFor("demo.example.com", lines)).not.toContain("proxycommand");
});

const entries = () =>
  hostEntries({
    prefix: "coder.",
    suffix: "slipway",
    options: [],
    hosts: undefined,

    command: awkwardCommand(),
  });

// OpenSSH converts the letters to lower case.
it.each(["$(touch pwned).slipway", "`touch pwned`.slipway", "a;touch pwned;b.slipway"])(
  "runs nothing of a host called %s",
  (evil) => {
    // New releases of OpenSSH refuse such a host on the command line, but not in a configuration file.
    const output = connect("alias.slipway", [...entries(), "Host *", `\tHostName "${evil}"`]);
    expect(output).toContain(`=${evil}\n`);
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  },
);

/** Returns whether a `Host` line of ssh_config matches a host: a pattern does, and no negated pattern does. */
function isMatchedBy(line: string, host: string): boolean {
  const patterns = line.split(" ").slice(1);
  const matches = (pattern: string): boolean => {
    const [begin = "", ...parts] = pattern.split("*");
    const end = parts.pop() ?? "";
    const hasEnds = host.startsWith(begin) && host.endsWith(end);
    return hasEnds && parts.every((part) => host.includes(part));
  };
  const [negated, plain] = [true, false].map((isNegated) =>
    patterns
      .map((pattern) => pattern.replace(/^"(.*)"$/, "$1"))
      .filter((pattern) => pattern.startsWith("!") === isNegated)
      .map((pattern) => pattern.replace(/^!/, "")),
  );
  return plain?.some(matches) === true && negated?.some(matches) === false;
}

it.each(["'$(touch pwned)'.slipway", "coder.';touch pwned;'"])(
  "is not for a host called %s, which would end the quotes",
  (name) => {
    const hosts = entries().filter((line) => line.startsWith("Host "));
    expect(hosts).toHaveLength(2);
    expect(hosts.some((line) => isMatchedBy(line, name.replaceAll("'", "")))).toBe(true);
    expect(hosts.filter((line) => isMatchedBy(line, name))).toEqual([]);
  },
);
