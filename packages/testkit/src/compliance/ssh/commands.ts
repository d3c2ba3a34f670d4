import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";

import type { PseudoTtyOptions } from "ssh2";
import { describe, expect, it } from "vitest";

import { isAlive } from "../../is-alive.ts";
import { openSocketPair } from "./local-peers.ts";
import { endOf, execute, type CurrentSubject } from "./subject.ts";

/** Commands, shells and terminals (RFC 4254, 6). */
export function describeCommands(subject: CurrentSubject): void {
  describe("a command over OpenSSH's client", () => {
    it("passes on its output, its errors and its exit code", async () => {
      expect(await subject().ssh(["echo out; echo err >&2; exit 7"])).toEqual({
        stdout: "out\n",
        stderr: "err\n",
        exitCode: 7,
      });
    });

    it("gets its input to the end", async () => {
      const { ssh } = subject();
      expect((await ssh(["cat; echo end"], "hello ")).stdout).toBe("hello end\n");
      expect((await ssh(["bash /dev/stdin two"], "echo one $1")).stdout).toBe("one two\n");
    });

    it("starts in the home, with the variables of the client", async () => {
      const { start, home } = subject();
      const words = ["pwd; echo $HOME,$LC_TEST"];
      const { stdout } = await endOf(start(words, ["-o", "SetEnv=LC_TEST=1"]));
      expect(stdout).toBe(`${home}\n${home},1\n`);
    });

    it("carries 100 MB through cat, both ways", async () => {
      const block = randomBytes(1_000_000);
      const child = subject().start(["cat"]);
      const sent = createHash("sha256");
      const received = createHash("sha256");
      child.stdout?.on("data", (chunk: Buffer) => received.update(chunk));
      const ended = new Promise((resolve) => {
        child.stdout?.once("end", resolve);
      });
      for (let round = 0; round < 100; round += 1) {
        sent.update(block);
        if (child.stdin?.write(block) === false) {
          await new Promise((resolve) => {
            child.stdin?.once("drain", resolve);
          });
        }
      }
      child.stdin?.end();
      await ended;
      expect(received.digest("hex")).toBe(sent.digest("hex"));
    });

    it("keeps both streams whole when both are large", async () => {
      const { stdout, stderr } = await subject().ssh(["seq 1 700000 & seq 1 700000 >&2; wait"]);
      expect(stdout).toBe(stderr);
      expect(stdout.length).toBe(4_788_895);
    });

    it("shares a connection that others fill, and gets all its output", async () => {
      const [ours, theirs] = await openSocketPair();
      subject().serve(theirs);
      const client = await subject().connect({ sock: ours });
      // Each prints less than the window that the client grants.
      const channels = await Promise.all(
        Array.from({ length: 8 }, () => execute(client, "exec head -c 900000 /dev/zero")),
      );
      ours.pause();
      await expect.poll(() => theirs.writableNeedDrain).toBe(true);
      ours.resume();
      const outputs = await Promise.all(channels.map((channel) => buffer(channel)));
      expect(outputs.map(({ length }) => length)).toEqual(channels.map(() => 900_000));
    });

    it("ends with its client's connection", async () => {
      const child = subject().start(["echo $$; sleep 1000"]);
      const pid = await pidOf(child.stdout);
      expect(isAlive(pid)).toBe(true);
      child.kill("SIGKILL");
      await expect.poll(() => isAlive(pid)).toBe(false);
    });
  });

  describe("a command on a channel", () => {
    it("is one of a hundred on a connection, each with its own output and status", async () => {
      const client = await subject().connect();
      const numbers = Array.from({ length: 100 }, (_, index) => index);
      const ends = await Promise.all(
        numbers.map(async (number) => {
          const channel = await execute(client, `read line; echo $line; exit ${number}`);
          const exited = once(channel, "exit");
          channel.end(`line ${number}\n`);
          return [await text(channel), (await exited)[0]];
        }),
      );
      expect(ends).toEqual(numbers.map((number) => [`line ${number}\n`, number]));
    });

    it("goes on after the end of its input, until its own end", async () => {
      const channel = await execute(await subject().connect(), "cat; sleep 0.2; echo later");
      channel.end("first\n");
      expect(await text(channel)).toBe("first\nlater\n");
    });

    it.each(["INT", "TERM", "USR1"])("receives SIG%s", async (name) => {
      const script = `trap 'echo got ${name}; exit 0' ${name}; echo ready; while :; do sleep 0.05; done`;
      const channel = await execute(await subject().connect(), script);
      channel.once("data", () => channel.signal(name));
      expect(await text(channel)).toBe(`ready\ngot ${name}\n`);
    });

    it("reports the end by a signal as no success", async () => {
      const channel = await execute(await subject().connect(), "kill -9 $$");
      channel.resume();
      // RFC 4254, 6.10 has a message for this; stock agents send 255.
      const [status, signal] = await once(channel, "exit");
      expect(status === null ? signal : status).toSatisfy(
        (end) => end === "KILL" || end === "SIGKILL" || end === 255,
      );
    });
  });

  describe("a terminal over OpenSSH's client", () => {
    it("has a size and a name, and the client's settings", async () => {
      const environment = { ...process.env, TERM: "xterm-256color" };
      const words = ["stty size; echo $SSH_TTY; tty; echo $TERM; exit 7"];
      const { stdout, exitCode } = await endOf(subject().start(words, ["-tt"], environment));
      const [size, name, tty, term] = stdout.split("\r\n");
      expect(size).toMatch(/^\d+ \d+$/);
      expect(name).toMatch(/^\/dev\//);
      expect(tty).toBe(name);
      expect(term).toBe("xterm-256color");
      expect(exitCode).toBe(7);
    });

    it("delivers everything before it ends", async () => {
      const { stdout } = await endOf(subject().start(["seq 1 100000"], ["-tt"]));
      expect(stdout.split("\r\n").length).toBe(100_001);
    });

    it("ends its processes when its client is killed", async () => {
      const child = subject().start(["echo $$; sleep 1000"], ["-tt"]);
      const pid = await pidOf(child.stdout);
      expect(isAlive(pid)).toBe(true);
      child.kill("SIGKILL");
      await expect.poll(() => isAlive(pid)).toBe(false);
    });
  });

  describe("a terminal on a channel", () => {
    it("has the size that the client gives it, also later", async () => {
      const script = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done";
      const pty: PseudoTtyOptions = { rows: 40, cols: 132, term: "xterm", modes: { ECHO: 0 } };
      const channel = await execute(await subject().connect(), script, { pty });
      channel.once("data", () => channel.setWindow(50, 100, 0, 0));
      expect(await text(channel)).toBe("40 132\r\n50 100\r\n");
    });
  });
}

async function pidOf(stdout: NodeJS.ReadableStream | null): Promise<number> {
  return new Promise((resolve) => {
    stdout?.once("data", (chunk: Buffer) => resolve(Number(String(chunk))));
  });
}
