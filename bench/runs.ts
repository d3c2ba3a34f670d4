import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

import { systemClock } from "@slipway/runtime";
import { Runs } from "@slipway/sdk/runs";
import { makeWorkspace, pushTemplate, requireAgent } from "@slipway/testkit";

import { defineBenchmark } from "./benchmark.ts";
import { quantile, repeat } from "./report.ts";
import { openOurServer } from "./support/our-server.ts";

/*
 * Short commands in a workspace on this machine, through one server, beside a child process of Node.js as the floor: the time
 * of one at a time, and the number of them per second, eight at a time. Then a command that prints `--megabytes`, whose reader
 * is slower: the growth of the agent's and the server's memory.
 *
 *   npm run bench:runs [-- --megabytes=1000] [--json]
 */

const repetitions = 3;
const commands = 200;
const atOnce = 8;
const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";

type RunTrue = () => Promise<void>;

export const benchmark = defineBenchmark({
  title: "Runs of `true` in a workspace",
  options: { megabytes: 1_000 },
  measure: async ({ options, opened, findings }) => {
    const { server, client } = await openOurServer(opened);
    const templateId = await pushTemplate(client, "runs", template);
    const isReady = ({ status }: { readonly status: string }): boolean => status === "connected";
    const workspace = await makeWorkspace(client, "dev", templateId, isReady);
    const runs = new Runs({ client, agentId: requireAgent(workspace).id, clock: systemClock });
    const ways: readonly (readonly [string, RunTrue])[] = [
      ["child process", spawnTrue],
      ["run", async () => void (await runs.run(["true"]))],
    ];
    for (const [name, runTrue] of ways) {
      findings.note(
        `${name}, one at a time`,
        "ms",
        ...(await repeat(repetitions, () => medianMs(runTrue))),
      );
    }
    for (const [name, runTrue] of ways) {
      findings.note(
        `${name}, ${atOnce} at a time`,
        "per s",
        ...(await repeat(repetitions, () => rateOf(runTrue))),
      );
    }
    const pidText = await runs.run("echo $PPID");
    const processes = { agent: Number(pidText.stdout), server: server.pid };
    const before = await memoryOf(processes);
    const bytes = options.megabytes * 1_000_000;
    const handle = runs.run(["head", "-c", String(bytes), "/dev/zero"]);
    let seen = 0;
    for await (const { data } of handle) {
      seen += data.length;
      await systemClock.sleep(20, new AbortController().signal);
    }
    const after = await memoryOf(processes);
    findings.note("output read", "MB", seen / 1_000_000);
    findings.note("growth of the agent", "MiB", after.agent - before.agent);
    findings.note("growth of the server", "MiB", after.server - before.server);
  },
});

async function spawnTrue(): Promise<void> {
  const child = spawn("true", { stdio: ["ignore", "pipe", "pipe"] });
  await once(child, "close");
}

async function medianMs(runTrue: RunTrue): Promise<number> {
  const times: number[] = [];
  while (times.length < commands) {
    const beganAt = performance.now();
    await runTrue();
    times.push(performance.now() - beganAt);
  }
  return quantile(times, 0.5);
}

async function rateOf(runTrue: RunTrue): Promise<number> {
  let left = commands;
  const beganAt = performance.now();
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await runTrue();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return (commands / (performance.now() - beganAt)) * 1_000;
}

/** Returns the resident memory of processes, in MiB. */
async function memoryOf<Name extends string>(
  processes: Readonly<Record<Name, number>>,
): Promise<Record<Name, number>> {
  const entries = Object.entries<number>(processes).map(async ([name, pid]) => {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return [name, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the same names
  return Object.fromEntries(await Promise.all(entries)) as Record<Name, number>;
}
