import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { logInAsAdmin, type ServerProcess, startServerProcess } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runStockCommand } from "./support/run-stock-command.ts";
import { type StockProgram, stockPrograms } from "./support/stock-program.ts";

/*
 * Stock commands, whose programs the environment names with `:` between them, run everything that needs no network on
 * our server. `vitest.config.ts` leaves this file out, and says so, where SLIPWAY_STOCK_COMMAND is not set.
 */

const template = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    scripts:
      hello: { run_on: [start], run: echo hello from start }
`;

/** One run of the command, which exits with 0 and prints these words. `NAME` is a different name for each program. */
interface Step {
  readonly line: string;
  readonly prints: RegExp;
  /** The typed input. */
  readonly input?: string;
  /** A command that some programs lack; they skip this step. */
  readonly needs?: string;
}

const steps: readonly Step[] = [
  { line: "version", prints: /^Coder (\(AGPL\) )?v2\./ },
  { line: "login URL --token TOKEN", prints: /Welcome to Coder, .*admin/ },
  { line: "whoami", prints: /authenticated as .*admin/ },
  { line: "users create -u u-NAME -e u-NAME@example.com -p correct-horse-42", prints: /new user/ },
  { line: "users list", prints: /u-NAME +u-NAME@example\.com/ },
  { line: "users show u-NAME", prints: /Username: +u-NAME/ },
  { line: "users suspend u-NAME", prints: /suspended/i, input: "yes\n" },
  { line: "users activate u-NAME", prints: /activated/, input: "yes\n" },
  { line: "users delete u-NAME", prints: /delete/i },
  { line: "tokens create -n k-NAME", prints: /^\w{10}-\w{22}$/m },
  { line: "tokens list", prints: /k-NAME/ },
  { line: "tokens remove k-NAME", prints: /Token has been (deleted|expired)/ },
  {
    line: "templates push t-NAME -d TEMPLATE --ignore-lockfile -y --name one",
    prints: /The t-NAME template has been created/,
  },
  { line: "templates list", prints: /t-NAME/ },
  { line: "create w-NAME -t t-NAME -y", prints: /The w-NAME workspace has been created/ },
  { line: "list", prints: /admin\/w-NAME +t-NAME +Started/ },
  { line: "show w-NAME", prints: /main \(linux, amd64\)/ },
  {
    line: "templates push t-NAME -d TEMPLATE --ignore-lockfile -y --name two",
    prints: /Updated version/,
  },
  { line: "templates versions list t-NAME", prints: /one .*[^]*two .*Active/ },
  {
    line: "templates versions promote -t t-NAME --template-version one",
    prints: /Successfully promoted version "one"/,
  },
  {
    line: "templates versions promote -t t-NAME --template-version two",
    prints: /Successfully promoted version "two"/,
  },
  { line: "templates edit t-NAME --display-name Hello -y", prints: /Updated template metadata/ },
  {
    line: "templates edit t-NAME --failure-ttl 2h --allow-user-autostop=false -y",
    prints: /Updated template metadata/,
  },
  {
    line: "templates edit t-NAME --failure-ttl 0h --allow-user-autostop=true -y",
    prints: /Updated template metadata/,
  },
  { line: "templates pull t-NAME PULLED", prints: /Extracting template/ },
  { line: "update w-NAME", prints: /Planning workspace/ },
  { line: "update w-NAME", prints: /up[- ]to[- ]date/i },
  { line: "logs w-NAME", prints: /Starting workspace/, needs: "logs" },
  { line: "stop w-NAME -y", prints: /The w-NAME workspace has been stopped/ },
  { line: "start w-NAME -y", prints: /The w-NAME workspace has been started/ },
  { line: "restart w-NAME -y", prints: /The w-NAME workspace has been restarted/ },
  { line: "favorite w-NAME", prints: /favorites/ },
  { line: "unfavorite w-NAME", prints: /favorites/ },
  { line: "autoupdate w-NAME always -y", prints: /always/ },
  { line: "schedule start w-NAME 9:30AM Mon-Fri Europe/Dublin", prints: /9:30AM Mon-Fri/ },
  { line: "schedule stop w-NAME 8h", prints: /8h/ },
  { line: "schedule show w-NAME", prints: /9:30AM Mon-Fri[^]*8h/ },
  { line: "rename w-NAME x-NAME", prints: /renamed/i, input: "w-NAME\n" },
  { line: "state pull x-NAME", prints: /^\n$/ },
  {
    line: "external-workspaces create e-NAME -t t-NAME -y",
    prints: /attach external agent to the workspace e-NAME:[^]*CODER_AGENT_/,
    needs: "external-workspaces",
  },
  {
    line: "external-workspaces agent-instructions e-NAME",
    prints: /CODER_AGENT_/,
    needs: "external-workspaces",
  },
  {
    line: "external-workspaces list",
    prints: /admin\/e-NAME/,
    needs: "external-workspaces",
  },
  {
    line: "delete e-NAME -y",
    prints: /admin\/e-NAME has been deleted/,
    needs: "external-workspaces",
  },
  { line: "delete x-NAME -y", prints: /admin\/x-NAME has been deleted/ },
  { line: "list -o json", prints: /^\[\]$/m },
  { line: "templates delete t-NAME -y", prints: /Deleted template/ },
  { line: "logout -y", prints: /no longer logged in/ },
];

const opened = new AsyncDisposableStack();
let directory = "";
let server: ServerProcess;
let token = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-stock-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  server = opened.use(await startServerProcess({ dataDir: directory, port: 0 }));
  token = (await logInAsAdmin(server.url)).headers["Coder-Session-Token"] ?? "";
  await mkdir(join(directory, "template"));
  await writeFile(join(directory, "template", "slipway.yaml"), template);
  // Without a Terraform file the command sends nothing.
  await writeFile(join(directory, "template", "main.tf"), "");
});

afterAll(() => opened.disposeAsync());

describe.each(stockPrograms("SLIPWAY_STOCK_COMMAND").map((one) => [one.name, one] as const))(
  "%s",
  (_name, program) => {
    const { stdout: help } = spawnSync(program.path, ["--help"], { encoding: "utf8" });
    const has = ({ needs }: Step): boolean =>
      needs === undefined || new RegExp(`^ +${needs} `, "m").test(help);
    const ours = steps.filter(has);

    it.each(ours.map((step) => [step.line, step] as const))("%s", async (_line, step) => {
      const fill = filling(program);
      const input = fill(step.input ?? "");
      const ended = await runStockCommand(program, fill(step.line).split(" "), {
        directory,
        input,
      });
      expect(ended.code, ended.text).toBe(0);
      expect(ended.text).toMatch(new RegExp(fill(step.prints.source), step.prints.flags));
    });

    it("has pulled the template as it was pushed", async () => {
      const names = await readdir(filling(program)("PULLED"));
      expect(names.toSorted()).toEqual(["main.tf", "slipway.yaml"]);
    });
  },
);

/** Replaces the names in capitals in a step. */
function filling({ name }: StockProgram): (text: string) => string {
  const short = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return (text) =>
    text
      .replaceAll("NAME", short)
      .replaceAll("URL", server.url)
      .replaceAll("TOKEN", token)
      .replaceAll("TEMPLATE", join(directory, "template"))
      .replaceAll("PULLED", join(directory, `pulled-${short}`));
}
