import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { runHeaderCommand } from "@slipway/sdk/node";
import { openLocalServer } from "@slipway/testkit";
import { beforeEach, expect, it, onTestFinished } from "vitest";

import { type Answer, memoryTerminal } from "../tests/support/memory-terminal.ts";
import { noOpener } from "../tests/support/recorded-opener.ts";
import { runCommandLine } from "./command/run-command-line.ts";
import { commandTable } from "./gen/command-table.ts";

let folder = "";
let config = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-config-ssh-"));
  config = join(folder, "config");
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const usual = { hostname_prefix: "coder.", hostname_suffix: "slipway", ssh_config_options: {} };

interface Answering {
  readonly status: number;
  readonly settings: unknown;
  readonly workspaces: readonly unknown[];
}

/** Runs `slipway config-ssh` on the test's configuration, against a server with these settings. */
async function configSsh(
  flags: readonly string[],
  { settings = usual, status = 200, workspaces = [] }: Partial<Answering> = {},
  replies?: readonly Answer[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const server = await openLocalServer(
    createServer(({ url = "" }, response) => {
      const isList = url.startsWith("/api/v2/workspaces?");
      const body = isList ? { workspaces, count: workspaces.length } : settings;
      response.writeHead(status).end(JSON.stringify(body));
    }),
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  const terminal = memoryTerminal(replies);
  const words = ["config-ssh", "--ssh-config-file", config, ...flags];
  const code = await runCommandLine(commandTable, words, {
    terminal,
    environment: {
      CODER_CONFIG_DIR: join(folder, "session"),
      CODER_URL: server.url,
      CODER_SESSION_TOKEN: "token",
    },
    clock: systemClock,
    opener: noOpener,
    signal: new AbortController().signal,
    interruption: {
      interrupted: Promise.withResolvers<"SIGINT">().promise,
      forced: new AbortController().signal,
    },
  });
  return { code, out: terminal.outText(), err: terminal.errText() };
}

const written = (): string => readFileSync(config, "utf8");

it("shows its change, asks, writes it, and has nothing to do when run again", async () => {
  writeFileSync(config, "Host mine\n");
  const { code, err } = await configSsh([], {}, [true]);
  expect(code).toBe(0);
  expect(err).toContain(" Host mine\n+# >>> slipway config-ssh >>>\n");
  expect(err).toContain("+Host *.slipway ");
  expect(err).toContain(`? Change ${config}? (yes)\n`);
  expect(err).toContain("connect with: ssh <workspace>.slipway\n");
  const first = written();
  expect(first).toMatch(/^Host mine\n# >>> /);
  expect(first).toContain(`--config-dir ${join(folder, "session")} ssh --stdio`);
  const again = await configSsh([], {}, []);
  expect(again).toMatchObject({ code: 0, err: expect.stringContaining("is up to date\n") });
  expect(written()).toBe(first);
});

it("writes nothing after a no, without a terminal, and in a dry run", async () => {
  const refused = await configSsh([], {}, [false]);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("nothing was written") });
  const silent = await configSsh([]);
  expect(silent).toMatchObject({ code: 2, err: expect.stringContaining("pass --yes to confirm") });
  const dry = await configSsh(["-n"]);
  expect(dry).toMatchObject({ code: 0, out: expect.stringContaining("+Host coder.*") });
  expect(existsSync(config)).toBe(false);
});

it("removes its section without asking the server", async () => {
  writeFileSync(config, "Host mine\n");
  await configSsh(["-y"]);
  expect(written()).toContain("Host *.slipway");
  const { code } = await configSsh(["-y", "--remove"], { status: 500 });
  expect(code).toBe(0);
  expect(written()).toBe("Host mine\n");
});

it("takes flags before what the server says", async () => {
  const flags = ["-y", "--hostname-suffix", "ws", "--ssh-host-prefix", ""];
  const options = ["-o", "ForwardAgent=yes", "-o", "ConnectTimeout 9", "--wait", "no"];
  await configSsh([...flags, ...options, "--disable-autostart"]);
  expect(written()).not.toContain("coder.");
  expect(written()).toMatch(/^Host \*\.ws /m);
  expect(written()).toMatch(/^\tForwardAgent yes$/m);
  expect(written()).toMatch(/^\tConnectTimeout 9$/m);
  expect(written()).not.toContain("ConnectTimeout 0");
  expect(written()).toContain("--stdio --wait no --disable-autostart --hostname-suffix ws '%h'");
});

it.each([
  [["-o", "Host=*"], "would begin another section"],
  [["-o", "ProxyJump=a\nMatch all"], "has a control character"],
  [["-o", "Compression"], "does not begin with the name of an option"],
  [["--hostname-suffix", "*"], "may contain only letters"],
  [["--ssh-host-prefix", "", "--hostname-suffix", ""], "no host names"],
])("refuses %j", async (flags, problem) => {
  const { code, err } = await configSsh(["-y", ...flags]);
  expect(code).toBe(2);
  expect(err).toContain(problem);
  expect(existsSync(config)).toBe(false);
});

it("runs nothing that a hostile server sends", async () => {
  const settings = {
    ...usual,
    ssh_config_options: {
      ProxyCommand: "evil",
      LocalCommand: "evil",
      "Compression yes\nProxyCommand": "evil",
      Ciphers: "a\n\tProxyCommand evil",
    },
  };
  const { code, err } = await configSsh(["-y"], { settings });
  expect(code).toBe(0);
  expect(written()).not.toContain("evil");
  expect(err).toContain("ignored ProxyCommand of the server");
});

it("takes hosts that may be others' from a server only if a person says so", async () => {
  const settings = { ...usual, hostname_suffix: "com" };
  const { code, err } = await configSsh(["-y"], { settings });
  expect(code).toBe(2);
  expect(err).toContain("the server asks for all hosts ending in .com");
  expect(existsSync(config)).toBe(false);
  await configSsh(["-y", "--hostname-suffix", "com"], { settings });
  expect(written()).toContain("Host *.com ");
  await configSsh([], { settings: { ...usual, hostname_prefix: "git" } }, [true]);
  expect(written()).toContain("Host git* ");
});

it("has the prefix of a server that is too old to tell", async () => {
  await configSsh(["-y"], { status: 404, settings: { message: "Route not found." } });
  expect(written()).toContain("Host coder.* ");
});

it("names the file and the line of a broken section", async () => {
  writeFileSync(config, "Host mine\n# >>> slipway config-ssh >>>\n");
  const { code, err } = await configSsh(["-y"]);
  expect(code).toBe(1);
  expect(err).toContain(`${config}, line 2: the section of slipway does not end`);
  expect(written()).toBe("Host mine\n# >>> slipway config-ssh >>>\n");
});

it("has ssh run the program that is named, with its Windows path as a Unix shell reads it", async () => {
  await configSsh(["-y", "--coder-binary-path", "/opt/my tools/coder"]);
  const session = join(folder, "session");
  expect(written()).toContain(
    `\tProxyCommand '/opt/my tools/coder' --global-config ${session} ssh --stdio --hostname-suffix slipway '%h'\n`,
  );
  const windows = ["-y", "--binary-path", "C:\\Tools\\slipway.exe"];
  await configSsh(windows);
  expect(written()).toContain("ProxyCommand 'C:\\Tools\\slipway.exe' ");
  await configSsh([...windows, "--force-unix-filepaths"]);
  expect(written()).toContain("ProxyCommand C:/Tools/slipway.exe ");
  await configSsh(["-y", "--binary-path", "/opt/a\\b", "--force-unix-filepaths"]);
  expect(written()).toContain("ProxyCommand '/opt/a\\b' ");
});

it.each([
  ["slipway", "is not absolute"],
  ["~/bin/slipway", "is not absolute"],
  ["/bin/a\n\tLocalCommand evil", "has a control character"],
])("refuses to have ssh run %j", async (path, problem) => {
  const { code, err } = await configSsh(["-y", "--binary-path", path]);
  expect(code).toBe(2);
  expect(err).toContain(problem);
  expect(existsSync(config)).toBe(false);
});

const workspace = (name: string, ...agents: readonly string[]) => ({
  name,
  latest_build: { resources: [{ agents: agents.map((agent) => ({ name: agent })) }] },
});

it("names each workspace, of several agents each, and none that would match others", async () => {
  const workspaces = [
    workspace("demo", "main"),
    workspace("two", "a", "b"),
    workspace("stopped"),
    workspace("*", "main"),
    workspace("x\n\tProxyCommand evil", "main"),
    workspace("odd", "a b", "c"),
  ];
  const { err } = await configSsh(["-y", "--no-wildcard"], { workspaces });
  const hosts = written().match(/^Host .*/gm);
  const names = ["demo", "two.a", "two.b", "stopped", "odd.c"];
  expect(hosts).toEqual([
    ...names.map((name) => `Host coder.${name}`),
    ...names.map((name) => `Host ${name}.slipway`),
  ]);
  expect(written()).not.toContain("evil");
  expect(err).toContain("connect with: ssh demo.slipway\n");
  const none = await configSsh(["-y", "--no-wildcard"]);
  expect(none.err).toContain("you have no workspaces");
  expect(written()).not.toContain("Host ");
});

it("leaves the proxy command to others if asked to", async () => {
  await configSsh(["-y", "--skip-proxy-command", "--header", "X-Access=secret"]);
  expect(written()).toContain("Host *.slipway ");
  expect(written()).not.toContain("ProxyCommand");
  expect(existsSync(join(folder, "session"))).toBe(false);
});

/** Returns the words with which OpenSSH runs the configured program. */
function wordsOfSsh(host: string): readonly string[] {
  return spawnSync("ssh", ["-F", config, host], { encoding: "utf8" })
    .stderr.split("\n")
    .filter((line) => line.startsWith("="))
    .map((line) => line.slice(1));
}

it("gives ssh's connections the headers and certificates, and shows others no secret", async () => {
  const program = join(folder, "program");
  writeFileSync(program, '#!/bin/sh\nfor word in "$@"; do echo "=$word" >&2; done\n', {
    mode: 0o700,
  });
  writeFileSync(config, "Host mine\n", { mode: 0o600 });
  const secret = `it's 100% "secret" $HOME \`id\``;
  const flags = [
    `--header=X-Access=${secret}`,
    "--header=X-More=a,b",
    "--header-command",
    'echo "X-Late=secret of $CODER_URL"',
  ];
  const { code, err } = await configSsh(["-y", "--binary-path", program, ...flags]);
  expect(code).toBe(0);
  const [name = ""] = readdirSync(join(folder, "session"));
  const script = join(folder, "session", name);
  expect(err).toContain(`stored the headers in ${script}, for you only\n`);
  expect(err + written()).not.toMatch(/secret|X-Access/);
  expect([config, script].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
  const words = wordsOfSsh("demo.slipway");
  expect(words).toEqual([
    "--global-config",
    join(folder, "session"),
    "--header-command",
    `sh ${script}`,
    "ssh",
    "--stdio",
    "--hostname-suffix",
    "slipway",
    "demo.slipway",
  ]);
  const command = words[words.indexOf("--header-command") + 1] ?? "";
  const options = { serverUrl: "http://there", environment: process.env };
  expect(await runHeaderCommand(command, options)).toEqual({
    "X-Access": secret,
    "X-More": "a,b",
    "X-Late": "secret of http://there",
  });
});

it("stores new headers although the configuration stays, and deletes them when nothing reads them", async () => {
  const stored = (): readonly string[] => {
    const directory = join(folder, "session");
    return readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
  };
  const dry = await configSsh(["--dry-run", "--header", "X-Access=one"]);
  expect(dry.code).toBe(0);
  expect(existsSync(join(folder, "session"))).toBe(false);
  await configSsh(["-y", "--header", "X-Access=one"]);
  expect(stored()).toEqual(["printf '%s\\n' 'X-Access=one'\n"]);
  const second = await configSsh(["--header", "X-Access=two"]);
  expect(second).toMatchObject({ code: 0, err: expect.stringContaining("is up to date") });
  expect(stored()).toEqual(["printf '%s\\n' 'X-Access=two'\n"]);
  await configSsh(["-y"]);
  expect(written()).not.toContain("--header-command");
  expect(stored()).toEqual([]);
  await configSsh(["-y", "--header", "X-Access=three"]);
  await configSsh(["-y", "--remove"]);
  expect(stored()).toEqual([]);
});
