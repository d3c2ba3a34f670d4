import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";

import { expect, it } from "vitest";

import { exitCodes } from "./exit-codes.ts";

const module = JSON.stringify(import.meta.resolve("./run-process.ts"));

/** Starts a process that runs the text of a function as its command. */
function start(command: string) {
  const program = `
    const { runProcess } = await import(${module});
    setInterval(() => undefined, 60_000);
    await runProcess(${command});`;
  const words = ["--conditions=@slipway/source", "--input-type=module", "--eval", program];
  return spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
}

it("ends once everything is written, whatever else is still open", async () => {
  const bytes = 3_000_000;
  const child = start(`async (_, { terminal }) => {
    terminal.out.write("x".repeat(${bytes}));
    terminal.err.write("a message");
    return 7;
  }`);
  const exited = once(child, "exit");
  const [out, err] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  expect(out.length).toBe(bytes);
  expect(err.toString()).toBe("a message");
  expect(await exited).toEqual([7, null]);
});

it("ends with the exit code for closed output, although the command returns 0", async () => {
  const child = start(`async (_, { terminal, signal }) => {
    terminal.out.write("x");
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return 0;
  }`);
  child.stdout.destroy();
  expect(await once(child, "exit")).toEqual([exitCodes.outputClosed, null]);
});
