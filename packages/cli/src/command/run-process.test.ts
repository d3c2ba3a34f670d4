import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";

import { expect, it } from "vitest";

const module = JSON.stringify(import.meta.resolve("./run-process.ts"));

it("ends once everything is written, whatever else is still open", async () => {
  const bytes = 3_000_000;
  const program = `
    const { runProcess } = await import(${module});
    setInterval(() => undefined, 60_000);
    await runProcess(async (_, { terminal }) => {
      terminal.out.write("x".repeat(${bytes}));
      terminal.err.write("a message");
      return 7;
    });`;
  const words = ["--conditions=@slipway/source", "--input-type=module", "--eval", program];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const [out, err] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  expect(out.length).toBe(bytes);
  expect(err.toString()).toBe("a message");
  expect(await exited).toEqual([7, null]);
});
