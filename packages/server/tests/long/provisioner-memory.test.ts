import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuild } from "@slipway/api/workspaces/build-routes";
import { expect, inject, it, onTestFinished } from "vitest";

import { openServer } from "../support/open-server.ts";
import { bufferBytes, measuredHeap } from "../support/process-heap.ts";
import { startProvisioner } from "../support/provisioner-process.ts";
import {
  begin,
  connect,
  endsWith,
  json,
  patience,
  resource,
} from "../support/raw-provisioner-jobs.ts";

const partBytes = 9 * 1024 * 1024;

it("a provisioner holds neither the files nor the state of a run in memory", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-provisioner-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const program = join(directory, "tofu");
  // Its `init` waits until it may go on or the test has ended, and fails.
  const script = `#!/bin/sh
[ "$1" = version ] && echo OpenTofu v1.12.6 && exit
cp terraform.tfstate ${directory}/seen
while [ -e ${directory}/seen ] && ! [ -e ${directory}/go ]; do sleep 0.05; done
echo 'Error: seen'
exit 1
`;
  await writeFile(program, script, { mode: 0o755 });
  await using server = await openServer(inject("postgresUrl"), { SLIPWAY_TERRAFORM: "off" });
  const { provisioner: first, key } = await connect(server, "held");
  const text = `# ${"x".repeat(partBytes)}`;
  const { workspace, call } = await begin(server, "held", first, text);
  first.sendPart(call, "state", json({ version: 4, serial: 1, large: "x".repeat(partBytes) }));
  first.sendPart(call, "result", json({ resources: [resource], agents: [] }));
  first.send({ type: "end", call });
  await endsWith(server, workspace, "succeeded");
  await first[Symbol.asyncDispose]();

  await using provisioner = startProvisioner({
    url: server.url,
    key,
    dataDir: join(directory, "data"),
    environment: { SLIPWAY_TERRAFORM: program, ...measuredHeap },
  });
  await provisioner.said("waiting for jobs");
  const params = { workspace: workspace.id };
  await server.admin.call(createBuild, { params, body: { transition: "stop" } });
  const hasSeen = (): Promise<boolean> =>
    access(join(directory, "seen")).then(
      () => true,
      () => false,
    );
  await expect.poll(hasSeen, patience).toBe(true);
  await expect.poll(() => bufferBytes(provisioner), patience).toBeLessThan(partBytes / 2);
  await writeFile(join(directory, "go"), "");
  expect((await endsWith(server, workspace, "failed")).error).toContain("seen");
});
