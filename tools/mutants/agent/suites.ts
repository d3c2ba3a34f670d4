import type { Suite } from "../mutant.ts";

function unit(...names: readonly [string, ...string[]]): Suite {
  const [first, ...more] = names.map((name) => `packages/agent/src/${name}.test.ts`);
  return { project: "unit", files: [first ?? "", ...more] };
}

export const filesSuite = unit(
  "process/private-directory",
  "session/secret-files",
  "main/line-logger",
);
export const turnsSuite = unit(
  "process/fair-turns",
  "process/loop-turns",
  "connections/descriptors",
);
export const terminalsSuite = unit("pty/resumable-viewer", "pty/shared-terminal");
export const sftpSuite = unit("ssh/sftp/sftp-attack");
export const forwardingSuite = unit("ssh/forwarding");
export const scriptsSuite = unit("scripts/script-runner", "scripts/script-preparation");
export const metadataSuite = unit("stats/metadata");
export const rpcSuite: Suite = { project: "unit", files: ["packages/rpc/src/responder.test.ts"] };
export const jobLogsSuite: Suite = { project: "db", files: ["packages/server/tests/jobs.test.ts"] };
export const agentLogsSuite: Suite = {
  project: "db",
  files: ["packages/server/tests/agent-routes.test.ts"],
};
