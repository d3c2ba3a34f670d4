import { DockerDriver } from "@slipway/drivers";
import { silentLogger, systemClock } from "@slipway/runtime";
import { sampleAgent, sampleBuild, sampleContainer } from "@slipway/testkit/compliance";
import { buildArchive, openDocker, ownArch } from "@slipway/testkit/engines";

import { defineBenchmark } from "./benchmark.ts";
import { elapsedMs } from "./support/timed-workspaces.ts";

/*
 * The time until the agent of a new workspace runs in a container, with its image present, beside `docker run` of the
 * same image by Docker's command, on a daemon of the benchmark. Needs root, Docker and busybox-static.
 *
 *   npm run bench:docker [-- --runs=20] [--json]
 *
 * Exits with 1 when a start takes more than twice as long as `docker run`.
 */

const maxRatio = 2;
const home = { name: "home", path: "/home/dev", isReadOnly: false };

export const benchmark = defineBenchmark({
  title: ({ runs }) => `Containers, ${String(runs)} runs`,
  options: { runs: 20 },
  measure: async ({ options: { runs }, findings, opened }) => {
    const engine = opened.use(await openDocker());
    await buildArchive();
    const driver = new DockerDriver({
      endpoint: { socketPath: engine.socketPath },
      readArchive: buildArchive,
      containerUrl: async () => "http://host.docker.internal:9",
      allow: new Set(),
      runtimes: [],
      network: undefined,
      registryAuth: async () => undefined,
      deploymentId: "bench",
      logger: silentLogger,
      clock: systemClock,
    });
    const log = { write: () => undefined };
    const { signal } = new AbortController();
    const container = sampleContainer(engine.image, { volumes: [home] });
    const platform = { os: "linux", arch: ownArch };
    const build = sampleBuild({ agents: [sampleAgent("main", { platform, container })] });
    const end = { ...build, transition: "delete", limits: { stopTimeoutMs: 0 } } as const;
    // The agent is unpacked and the users of the image are read, for a workspace that stays: after the last one the driver
    // removes the agent.
    const other = { ...build, workspace: { ...build.workspace, id: "other" } };
    await driver.start(other, log, signal);
    await driver.stop({ ...other, transition: "stop", limits: end.limits }, log, signal);
    const [network = ""] = (
      await engine.docker(["network", "ls", "-q", "-f", "label=slipway.kind"])
    ).split("\n");
    for (let run = 0; run < runs; run += 1) {
      const bare = [
        "run",
        "-d",
        "--name",
        "bare",
        "--network",
        network,
        "-v",
        "bare:/home/dev",
        engine.image,
      ];
      findings.note(
        "docker run",
        "ms",
        await elapsedMs(() => engine.docker([...bare, "sleep", "100"])),
      );
      await engine.docker(["rm", "-f", "bare"]);
      await engine.docker(["volume", "rm", "bare"]);
      findings.note(
        "start by the driver",
        "ms",
        await elapsedMs(() => driver.start(build, log, signal)),
      );
      await driver.delete(end, log, signal);
    }
    findings.require(
      findings.median("start by the driver") <= maxRatio * findings.median("docker run"),
    );
  },
});
