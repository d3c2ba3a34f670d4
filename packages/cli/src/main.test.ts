import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const program = fileURLToPath(import.meta.resolve("../bin/slipway.js"));
const node = [process.execPath, "--conditions=@slipway/source", program] as const;

test("reports in one line that its output cannot be written", async () => {
  // A file that is open for reading only refuses what is written, as a full disk does.
  await using file = await open(program, "r");
  const [command, ...words] = node;
  const child = spawn(command, [...words, "version"], { stdio: ["ignore", file.fd, "pipe"] });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = await once(child, "close");
  expect(said).toMatch(/^error: cannot write the output: EBADF.*\n$/);
  expect(code).toBe(1);
});

test("exits quietly once its output is no longer read", async () => {
  const [command, ...words] = node;
  const child = spawn(command, [...words, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect(said).toBe("");
  expect(code).toBe(141);
});
