import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

/* Go's client, golang.org/x/crypto/ssh, on our SSH server; see ssh-go/main.go for the checks. */

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), "slipway-ssh-go-"));
const program = join(directory, "ssh-go");
const services = join(import.meta.dirname, "../packages/agent/tests/support/services-program.ts");
const sshPort = 1;
let server: ChildProcess;
let port = 0;

beforeAll(async () => {
  execFileSync("go", ["build", "-o", program, "."], {
    cwd: join(import.meta.dirname, "ssh-go"),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const node = spawn(process.execPath, ["--conditions=@slipway/source", services], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  server = node;
  const [line] = await once(node.stdout, "data");
  port = Number(JSON.parse(String(line))[sshPort]);
}, 300_000);

afterAll(() => {
  server.kill();
  rmSync(directory, { recursive: true });
});

describe("Go's SSH client", () => {
  it.each([
    ["runs a command with input, both outputs, a variable and a status", "command"],
    ["sends a signal", "signal"],
    ["opens a terminal and changes its size", "terminal"],
    ["runs a hundred sessions on one connection", "sessions"],
    ["reaches a port, and ends each direction by itself", "port"],
    ["reaches a Unix socket", "socket"],
    ["has the server listen on a port that it chooses, until it stops", "listen"],
    ["gets an answer to each question whether the server is there", "keepalive"],
    ["exchanges keys after each megabyte of 16 both ways", "rekey"],
  ])("%s", async (_, check) => {
    const { stdout } = await run(program, [String(port), check], { timeout: 120_000 });
    expect(stdout).toBe("ok\n");
  });
});
