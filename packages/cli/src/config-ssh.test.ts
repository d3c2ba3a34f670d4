import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
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
}

/** Runs `slipway config-ssh` on the configuration of the test, with a server of these settings. */
async function configSsh(
  flags: readonly string[],
  { settings = usual, status = 200 }: Partial<Answering> = {},
  replies?: readonly Answer[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const server = await openLocalServer(
    createServer((_, response) => response.writeHead(status).end(JSON.stringify(settings))),
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
