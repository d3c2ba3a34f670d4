import { createFakeClock } from "@slipway/testkit";
import { describe, expect, it } from "vitest";

import { isAlive, openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { pipesGraceMs, runCommand } from "./run-command.ts";
import type { RunOptions } from "./run-command.ts";

function collecting(): RunOptions & { readonly seen: { stdout: string; stderr: string } } {
  const seen = { stdout: "", stderr: "" };
  return {
    seen,
    timeoutMs: undefined,
    timeoutGraceMs: 10_000,
    stopGraceMs: 2_000,
    joinOutput: false,
    onOutput: async (stream, chunk) => {
      seen[stream] += chunk.toString();
    },
    signal: new AbortController().signal,
  };
}

describe("runCommand", () => {
  it("tells stdout from stderr and passes the exit code on", async () => {
    using host = openCommandHost();
    const options = collecting();
    const outcome = await runCommand(shellCommand("echo out; echo err >&2; exit 3"), host, options);
    expect(outcome).toEqual({ kind: "exited", exitCode: 3 });
    expect(options.seen).toEqual({ stdout: "out\n", stderr: "err\n" });
  });

  it("gives the child pipes that it can open by name", async () => {
    using host = openCommandHost();
    const options = collecting();
    const text = "echo out > /dev/stdout; echo err > /dev/stderr";
    expect(await runCommand(shellCommand(text), host, options)).toEqual({
      kind: "exited",
      exitCode: 0,
    });
    expect(options.seen).toEqual({ stdout: "out\n", stderr: "err\n" });
  });

  it("reads everything that a child writes before it ends", async () => {
    using host = openCommandHost();
    const options = collecting();
    await runCommand(shellCommand("seq 1 200000"), host, options);
    expect(options.seen.stdout.length).toBe(1_288_895);
  });

  it("keeps the order of both streams where they are joined", async () => {
    using host = openCommandHost();
    const options = { ...collecting(), joinOutput: true };
    await runCommand(shellCommand("echo 1; echo 2 >&2; echo 3"), host, options);
    expect(options.seen).toEqual({ stdout: "1\n2\n3\n", stderr: "" });
  });

  it("starts a session of its own, without input", async () => {
    using host = openCommandHost();
    const options = collecting();
    await runCommand(shellCommand('cut -d" " -f1,6 /proc/$$/stat; cat'), host, options);
    const [pid, session] = options.seen.stdout.trim().split(" ");
    expect(session).toBe(pid);
  });

  it("says so when the program cannot be started", async () => {
    using host = openCommandHost();
    const command = { ...shellCommand(""), file: "/no/such/program" };
    const outcome = await runCommand(command, host, collecting());
    expect(outcome).toMatchObject({ kind: "not-started", error: { code: "spawn-failed" } });
  });

  it("stops reading while the output is not taken", async () => {
    using host = openCommandHost();
    const first = Promise.withResolvers<void>();
    let chunks = 0;
    const ended = runCommand(shellCommand("yes | head -c 1000000"), host, {
      ...collecting(),
      onOutput: async () => {
        chunks += 1;
        await first.promise;
      },
    });
    await expect.poll(() => chunks).toBe(1);
    first.resolve();
    expect(await ended).toEqual({ kind: "exited", exitCode: 0 });
    expect(chunks).toBeGreaterThan(1);
  });

  it("leaves no timer of a command that ends in time", async () => {
    const clock = createFakeClock();
    using host = openCommandHost(clock);
    await runCommand(shellCommand("exit 0"), host, { ...collecting(), timeoutMs: 5_000 });
    expect(clock.sleepers).toBe(0);
  });

  it("ends the whole group when the time is over", async () => {
    const clock = createFakeClock();
    using host = openCommandHost(clock);
    const options = { ...collecting(), timeoutMs: 5_000 };
    const ended = runCommand(shellCommand("sleep 1000 & echo $!; wait"), host, options);
    await expect.poll(() => options.seen.stdout).toMatch(/\d+\n/);
    const grandchild = Number(options.seen.stdout);
    expect(isAlive(grandchild)).toBe(true);
    await clock.advance(5_000);
    expect(await ended).toEqual({ kind: "timed-out" });
    await expect.poll(() => isAlive(grandchild)).toBe(false);
  });

  it("kills after the grace what does not heed SIGHUP", async () => {
    const clock = createFakeClock();
    using host = openCommandHost(clock);
    const stop = new AbortController();
    const options = { ...collecting(), signal: stop.signal };
    const text = "trap 'echo hup' HUP; echo ready; while :; do sleep 0.01; done";
    const ended = runCommand(shellCommand(text), host, options);
    await expect.poll(() => options.seen.stdout).toContain("ready");
    stop.abort();
    await expect.poll(() => options.seen.stdout).toContain("hup");
    await clock.advance(2_000);
    expect(await ended).toEqual({ kind: "stopped" });
  });

  it("cuts the output that a background process keeps open", async () => {
    const clock = createFakeClock();
    using host = openCommandHost(clock);
    const options = collecting();
    const ended = runCommand(shellCommand("sleep 1000 & echo $!"), host, options);
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(pipesGraceMs);
    expect(await ended).toEqual({ kind: "pipes-left-open" });
    const background = Number(options.seen.stdout);
    expect(isAlive(background)).toBe(true);
    host.groups.killAll();
    await expect.poll(() => isAlive(background)).toBe(false);
  });

  it("prefers the exit code to the open pipes", async () => {
    const clock = createFakeClock();
    using host = openCommandHost(clock);
    const ended = runCommand(shellCommand("sleep 1000 & exit 4"), host, collecting());
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(pipesGraceMs);
    expect(await ended).toEqual({ kind: "exited", exitCode: 4 });
  });

  it("tells a killed command from one that exits", async () => {
    using host = openCommandHost();
    const outcome = await runCommand(shellCommand("kill -9 $$"), host, collecting());
    expect(outcome).toEqual({ kind: "signalled", signal: "SIGKILL" });
  });
});

describe("ProcessGroups", () => {
  it("ends what a script has left in the background", async () => {
    using host = openCommandHost();
    const options = collecting();
    const text = "sleep 1000 >/dev/null 2>&1 & echo $!";
    await runCommand(shellCommand(text), host, options);
    const background = Number(options.seen.stdout);
    expect(isAlive(background)).toBe(true);
    await host.groups.endAll(2_000, new AbortController().signal);
    await expect.poll(() => isAlive(background)).toBe(false);
  });
});
