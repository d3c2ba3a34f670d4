import { createHash } from "node:crypto";

import { systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { isAlive, openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { signalGroup } from "../process/process-groups.ts";
import { spawnGroup } from "../process/spawn-group.ts";
import { PseudoTerminal } from "./pseudo-terminal.ts";
import { defaultTerminalSize } from "./terminal-size.ts";

const never = new AbortController().signal;

function open(text: string, size = defaultTerminalSize): PseudoTerminal {
  const terminal = new PseudoTerminal(shellCommand(text), size);
  onTestFinished(() => void signalGroup(terminal.pid, "SIGKILL"));
  return terminal;
}

async function outputOf(terminal: PseudoTerminal): Promise<string> {
  let output = "";
  await terminal.read(async (chunk) => void (output += chunk.toString()), systemClock);
  return output;
}

it("runs a command that leads a session, on a terminal of the size", async () => {
  const terminal = open('test -t 0 && stty size; cut -d" " -f6 /proc/$$/stat; exit 7', {
    columns: 123,
    rows: 45,
  });
  expect(await outputOf(terminal)).toBe(`45 123\r\n${terminal.pid}\r\n`);
  expect(await terminal.exit).toEqual({ kind: "exited", exitCode: 7 });
});

it("tells the signal that ended the command", async () => {
  const terminal = open("kill -9 $$");
  await outputOf(terminal);
  expect(await terminal.exit).toEqual({ kind: "signalled", signal: "SIGKILL" });
});

it("types into the command, and resizes its terminal", async () => {
  const terminal = open("stty -echo; read line; stty size; echo $line");
  terminal.resize({ columns: 100, rows: 50 });
  await terminal.write(Buffer.from("hello\n"), systemClock, never);
  expect(await outputOf(terminal)).toContain("50 100\r\nhello\r\n");
});

it("reads while a program that echoes all has not taken what is typed", async () => {
  const terminal = open("stty raw; echo ready; head -c 1000000 | sha256sum");
  let output = "";
  const ended = terminal.read(async (chunk) => void (output += chunk.toString()), systemClock);
  await expect.poll(() => output).toContain("ready");
  const typed = Buffer.alloc(1_000_000, "0123456789abcdef\n");
  await terminal.write(typed, systemClock, never);
  await ended;
  expect(output).toContain(createHash("sha256").update(typed).digest("hex"));
});

it("gives up typing into a program that reads nothing when it is closed, or told so", async () => {
  const terminal = open("stty raw -echo; sleep 1000");
  const typed = Buffer.alloc(1_000_000);
  const left = new AbortController();
  const writes = [
    terminal.write(typed, systemClock, left.signal),
    terminal.write(typed, systemClock, never),
  ];
  left.abort(new Error("left"));
  await expect(writes[0]).rejects.toThrow("left");
  terminal.hangUp();
  await expect(writes[1]).rejects.toMatchObject({ code: "closed" });
});

it("delivers all output to a slow reader, although the command ended long ago", async () => {
  const terminal = open("seq 1 20000");
  let output = "";
  await terminal.read(async (chunk) => {
    output += chunk.toString();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }, systemClock);
  const lines = output.split("\r\n");
  expect(lines.length).toBe(20_001);
  expect(lines.at(-2)).toBe("20000");
});

it("does not read while the output is not taken, and loses nothing", async () => {
  const terminal = open("seq 1 200000; exit 3");
  const first = Promise.withResolvers<void>();
  let output = "";
  let chunks = 0;
  const ended = terminal.read(async (chunk) => {
    output += chunk.toString();
    chunks += 1;
    await first.promise;
  }, systemClock);
  await expect.poll(() => chunks).toBe(1);
  expect(isAlive(terminal.pid)).toBe(true);
  first.resolve();
  expect(await ended).toEqual({ kind: "exited", exitCode: 3 });
  expect(output.endsWith("200000\r\n")).toBe(true);
});

it("ends although a background process holds the terminal", async () => {
  const terminal = open("trap '' HUP; sleep 1000 & echo $!; exit 0");
  const background = Number(await outputOf(terminal));
  expect(isAlive(background)).toBe(true);
});

it("ends its processes when it is hung up", async () => {
  const terminal = open("echo ready; sleep 1000");
  const ready = Promise.withResolvers<void>();
  const ended = terminal.read(async () => ready.resolve(), systemClock);
  await ready.promise;
  terminal.hangUp();
  expect(await ended).toEqual({ kind: "signalled", signal: "SIGHUP" });
});

it("keeps its terminal from all other commands", async () => {
  open("cat");
  const other = open("ls -l /proc/self/fd");
  const list = await outputOf(other);
  expect(list).toContain("/dev/pts/");
  expect(list).not.toContain("ptmx");
  using host = openCommandHost();
  const group = await spawnGroup(shellCommand("ls -l /proc/self/fd"), {
    pipes: host.pipes,
    joinOutput: true,
  });
  const piped = Buffer.concat(await group.stdout.toArray()).toString();
  expect(piped).toContain("/dev/null");
  expect(piped).not.toContain("ptmx");
});

it("gives its command a controlling terminal", async () => {
  const terminal = open("echo typed > /dev/tty; trap 'echo interrupted; exit 5' INT; read x");
  let output = "";
  const ended = terminal.read(async (chunk) => void (output += chunk.toString()), systemClock);
  await expect.poll(() => output).toContain("typed");
  await terminal.write(Buffer.of(3), systemClock, never);
  expect(await ended).toEqual({ kind: "exited", exitCode: 5 });
  expect(output).toContain("interrupted");
});

it("says so when there is no such program", async () => {
  const command = { ...shellCommand(""), file: "/no/such/program", args: [] };
  const terminal = new PseudoTerminal(command, defaultTerminalSize);
  await outputOf(terminal);
  expect(await terminal.exit).toMatchObject({ kind: "exited" });
});
