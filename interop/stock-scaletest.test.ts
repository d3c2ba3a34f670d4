import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  logInAsAdmin,
  pushTemplate,
  type ServerProcess,
  startServerProcess,
  unlimitedWorkspaces,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runStockCommand, type StockResult } from "./support/run-stock-command.ts";
import { stockPrograms } from "./support/stock-program.ts";

/*
 * Coder's load generator creates workspaces with our agent on our server and sends traffic to all of them
 * concurrently: over SSH and through web terminals. SLIPWAY_STOCK_SCALETEST names programs that have `exp scaletest`,
 * which slim builds lack; SLIPWAY_SCALETEST_AGENTS is the number of workspaces (default: 10). `vitest.config.ts`
 * leaves this file out, and says so, where the first is not set.
 */

const agents = Number(process.env["SLIPWAY_SCALETEST_AGENTS"] ?? "10");
/** The duration of the traffic, which the program uses as the time limit of each of its jobs. */
const trafficTime = "20s";
const limitMs = 280_000;

const template = `
driver: process
agents:
  main: { os: linux, arch: amd64 }
`;

const opened = new AsyncDisposableStack();
let directory = "";
let server: ServerProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-scale-"));
  // If the server is root, workspaces run as separate users, whose homes are below this directory.
  await chmod(directory, 0o711);
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  server = opened.use(
    await startServerProcess({ dataDir: directory, port: 0, environment: unlimitedWorkspaces }),
  );
  await pushTemplate(await logInAsAdmin(server.url), "scale", template);
});

afterAll(() => opened.disposeAsync());

/** The program's report about its runs. */
interface ScaleReport {
  readonly total_runs: number;
  readonly total_pass: number;
  readonly total_fail: number;
}

describe.each(stockPrograms("SLIPWAY_STOCK_SCALETEST").map((one) => [one.name, one] as const))(
  "%s",
  (_name, program) => {
    const run = (line: string, input = ""): Promise<StockResult> =>
      runStockCommand(program, line.split(" "), { directory, input, timeoutMs: limitMs });

    /** Runs one of its tests and returns the report. */
    const scaletest = async (name: string, flags: string): Promise<ScaleReport> => {
      const report = join(directory, `${name}.json`);
      const all = `${flags} --concurrency 0 --output text --output json:${report}`;
      const ended = await run(`exp scaletest ${all}`);
      expect(ended.code, ended.text.slice(-10_000)).toBe(0);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the program wrote it
      return JSON.parse(await readFile(report, "utf8")) as ScaleReport;
    };
    const everyOne = { total_runs: agents, total_pass: agents, total_fail: 0 };

    beforeAll(async () => {
      const token = (await logInAsAdmin(server.url)).headers["Coder-Session-Token"] ?? "";
      expect(await run(`login ${server.url} --token ${token}`)).toMatchObject({ code: 0 });
    });

    it("makes workspaces and runs a command in each", async () => {
      const command = "--run-command pwd --run-timeout 60s";
      const flags = `create-workspaces --count ${String(agents)} --template scale --no-cleanup ${command}`;
      expect(await scaletest("create", flags)).toMatchObject(everyOne);
    });

    it.each(["--ssh", "--ssh --disable-direct", ""])(
      "sends traffic into each (%s)",
      async (way) => {
        const prometheus =
          "--scaletest-prometheus-address 127.0.0.1:0 --scaletest-prometheus-wait 0s";
        const flags = `--template scale --job-timeout ${trafficTime} ${prometheus}${way === "" ? "" : ` ${way}`}`;
        expect(await scaletest("traffic", `workspace-traffic ${flags}`)).toMatchObject(everyOne);
      },
    );

    it("removes its workspaces and users", async () => {
      const ended = await run("exp scaletest cleanup --cleanup-concurrency 4");
      expect(ended.code, ended.text.slice(-10_000)).toBe(0);
      expect((await run("list --all")).text).not.toContain("scaletest");
    });
  },
);
