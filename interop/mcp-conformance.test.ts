import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { logInAsAdmin, startServerProcess } from "@slipway/testkit";
import { expect, it } from "vitest";

/* The MCP server against the conformance tests of the protocol's authors. */

const program = fileURLToPath(
  new URL("../node_modules/@modelcontextprotocol/conformance/dist/index.js", import.meta.url),
);

const itsOwnTool = "calls a tool that only a server made for the tests has";
const noResources = "the server has tools only, and no resources";
const noPrompts = "the server has tools only, and no prompts";

/** The scenarios that fail, each with its reason; the program also fails if one of them passes. */
const expectedFailures: Readonly<Record<string, string>> = {
  "logging-set-level": "removed from the protocol in 2026; the server never offered it",
  "completion-complete": noPrompts,
  "tools-call-simple-text": itsOwnTool,
  "tools-call-image": itsOwnTool,
  "tools-call-audio": itsOwnTool,
  "tools-call-embedded-resource": itsOwnTool,
  "tools-call-mixed-content": itsOwnTool,
  "tools-call-with-logging": itsOwnTool,
  "tools-call-error": itsOwnTool,
  "tools-call-with-progress": itsOwnTool,
  "tools-call-sampling": itsOwnTool,
  "tools-call-elicitation": itsOwnTool,
  "elicitation-sep1034-defaults": itsOwnTool,
  "elicitation-sep1330-enums": itsOwnTool,
  "server-sse-multiple-streams": "needs a session, and the server has none",
  "resources-list": noResources,
  "resources-read-text": noResources,
  "resources-read-binary": noResources,
  "resources-templates-read": noResources,
  "resources-subscribe": noResources,
  "resources-unsubscribe": noResources,
  "prompts-list": noPrompts,
  "prompts-get-simple": noPrompts,
  "prompts-get-with-args": noPrompts,
  "prompts-get-embedded-resource": noPrompts,
  "prompts-get-with-image": noPrompts,
};

it("passes all scenarios that do not need a server made for them", async () => {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slipway-conformance-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  // The database may run as another user.
  await chmod(directory, 0o711);
  const dataDir = join(directory, "data");
  const server = opened.use(await startServerProcess({ dataDir, port: 0, environment: {} }));
  const admin = await logInAsAdmin(server.url);
  const baseline = join(directory, "expected-failures.yaml");
  const names = Object.keys(expectedFailures).map((name) => `  - ${name}\n`);
  await writeFile(baseline, `server:\n${names.join("")}`);
  const url = new URL("/api/v2/mcp", server.url);
  // The program sends no header of ours.
  url.searchParams.set("coder_session_token", admin.headers["Coder-Session-Token"] ?? "");
  const args = [program, "server", "--url", url.href, "--expected-failures", baseline];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: directory,
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const scenario of ["server-initialize", "ping", "tools-list"]) {
    expect(stdout).toContain(`✓ ${scenario}: 1 passed, 0 failed`);
  }
  expect(stdout).toContain("✓ dns-rebinding-protection: 2 passed, 0 failed");
});
