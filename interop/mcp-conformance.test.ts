import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { logInAsAdmin, startServerProcess } from "@slipway/testkit";
import { expect, it } from "vitest";

/*
 * The MCP server against the conformance tests of the protocol's authors. Their tests of authorization are for clients only:
 * one of their clients logs in in `packages/server/tests/oauth-server.test.ts`.
 */

const program = fileURLToPath(
  new URL("../node_modules/@modelcontextprotocol/conformance/dist/index.js", import.meta.url),
);

const itsOwnTool = "calls a tool that only a server made for the tests has";
const itsOwnResource = "reads a resource that only a server made for the tests has";
const itsOwnPrompt = "gets a prompt that only a server made for the tests has";

/** The scenarios that fail, each with its reason; the program also fails if one of them passes. */
const expectedFailures: Readonly<Record<string, string>> = {
  "logging-set-level":
    "removed from the protocol in 2026; the server sends no log messages whose level could be set",
  "completion-complete": itsOwnPrompt,
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
  "resources-list":
    "the server has no resources: tools read files and output, with ranges and limits that resources lack",
  "resources-read-text": itsOwnResource,
  "resources-read-binary": itsOwnResource,
  "resources-templates-read": itsOwnResource,
  "resources-subscribe": itsOwnResource,
  "resources-unsubscribe": itsOwnResource,
  "prompts-list":
    "the server has no prompts: it knows no task that users would not describe better",
  "prompts-get-simple": itsOwnPrompt,
  "prompts-get-with-args": itsOwnPrompt,
  "prompts-get-embedded-resource": itsOwnPrompt,
  "prompts-get-with-image": itsOwnPrompt,
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
