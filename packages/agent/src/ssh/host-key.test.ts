import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { deriveHostKey } from "./host-key.ts";

const names = { ownerName: "alice", workspaceName: "dev", agentName: "main" };

it("is a key that OpenSSH reads", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-host-key-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "key");
  writeFileSync(path, deriveHostKey(names), { mode: 0o600 });
  const found = execFileSync("ssh-keygen", ["-y", "-f", path], { encoding: "utf8" });
  expect(found).toMatch(/^ssh-ed25519 AAAA\S{64}\s*$/);
});

it("stays the same for the same names, and differs for others", () => {
  expect(deriveHostKey({ ...names })).toBe(deriveHostKey(names));
  const others = [
    { ...names, ownerName: "bob" },
    { ...names, workspaceName: "main", agentName: "dev" },
    { ...names, ownerName: "alice\0dev", workspaceName: "main", agentName: "" },
  ].map((one) => deriveHostKey(one));
  expect(new Set([deriveHostKey(names), ...others]).size).toBe(4);
});
