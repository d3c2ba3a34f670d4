import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Clock, systemClock } from "@slipway/runtime";
import { sampleBuild } from "@slipway/testkit/compliance";
import { expect, it, onTestFinished } from "vitest";

import { procTable } from "../process/proc-table.ts";
import { defaultRunLimits } from "./terraform-options.ts";
import { TerraformSession } from "./terraform-session.ts";

const { signal } = new AbortController();
const patience = { timeout: 20_000 };
const keyLine = "line-of-the-private-key";
const lookMs = 5_000;

/** A program that writes half of a state, waits until it may write the rest, and waits for its end. */
const program = `#!/bin/sh
wait_for() { until [ -e "$DIRECTORY/$1" ]; do sleep 0.02; done; }
printf '{"serial":' >terraform.tfstate
echo half written by ${keyLine}
wait_for rest
printf 1} >>terraform.tfstate
echo all written
wait_for end
`;

it("keeps each whole state once while the program runs, and logs nothing of the owner's key", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-session-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "tofu"), program, { mode: 0o755 });
  await mkdir(join(directory, "template"));
  let looks = 0;
  const clock: Clock = {
    ...systemClock,
    sleep: async (ms, end) => {
      if (ms === lookMs) looks += 1;
      await systemClock.sleep(ms === lookMs ? 10 : ms, end);
    },
  };
  const kept: string[] = [];
  const { workspace, template, ...build } = sampleBuild();
  const gitKey = { publicKey: "", privateKey: `begin\n${keyLine}\nend` };
  const lines: string[] = [];
  await using session = await TerraformSession.open(
    {
      root: join(directory, "runs"),
      users: undefined,
      table: procTable(),
      clock,
      limits: defaultRunLimits,
      program: join(directory, "tofu"),
      configFile: undefined,
      environment: { DIRECTORY: directory },
      installing: undefined,
    },
    {
      key: "w",
      template: { ...template, directory: join(directory, "template") },
      build: {
        ...build,
        template,
        workspace: { ...workspace, owner: { ...workspace.owner, gitKey } },
        keepState: async (state) => void kept.push(Buffer.from(state).toString()),
        hold: async () => ({ renewedAtMs: Date.now, [Symbol.asyncDispose]: async () => undefined }),
      },
      variables: {},
    },
    { write: (_level, _stage, line) => void lines.push(line) },
    signal,
  );
  const applying = session.apply(signal);
  const logged = (line: string): Promise<unknown> =>
    expect.poll(() => lines, patience).toContain(line);
  const looksAgain = async (): Promise<void> => {
    const before = looks;
    await expect.poll(() => looks, patience).toBeGreaterThan(before + 1);
  };
  await logged("half written by (hidden)");
  await looksAgain();
  expect(kept).toEqual([]);
  await writeFile(join(directory, "rest"), "");
  await logged("all written");
  await looksAgain();
  await looksAgain();
  await writeFile(join(directory, "end"), "");
  await applying;
  expect(kept).toEqual(['{"serial":1}']);
});
