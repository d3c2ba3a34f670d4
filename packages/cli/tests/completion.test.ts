import { createServer } from "node:net";

import { pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { completeCommandLine } from "../src/commands/completion/complete-command-line.ts";
import { commandTable } from "../src/gen/command-table.ts";
import { type CommandServer, openCommandServer } from "./support/command-server.ts";
import { memoryTerminal } from "./support/memory-terminal.ts";

const template = `
driver: external
presets:
  quick: { default: true, description: the small one, parameters: {} }
agents:
  main: { os: linux, arch: amd64 }
`;

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer();
  await pushTemplate(commandServer.admin, "box", template);
  await pushTemplate(commandServer.admin, "large", template);
  await commandServer.slipway("create demo -t box");
  await commandServer.slipway("tokens create --name ci");
});
afterAll(() => commandServer[Symbol.asyncDispose]());

async function completed(line: string): Promise<string> {
  const terminal = memoryTerminal();
  const code = await completeCommandLine(
    commandTable,
    line.split(" "),
    commandServer.needs(terminal),
  );
  expect(code).toBe(0);
  expect(terminal.errText()).toBe("");
  return terminal.outText();
}

it.each([
  ["show ", "words\ndemo\tbox, running\n"],
  ["show DE", "words\ndemo\tbox, running\n"],
  ["show x", "words\n"],
  ["show admin/", "words\nadmin/demo\tbox, running\n"],
  ["templates versions list l", "words\nlarge\t\n"],
  ["create -t box --preset ", "words\nquick\tthe small one\n"],
  ["create --template=b", "words\n--template=box\t\n"],
  ["users show adm", "words\nadmin\tadmin@localhost\n"],
  ["tokens rm ", "words\nci\t\n"],
  ["templates init ", "files\n"],
  ["users edit-roles admin --roles aud", "words\nauditor\t\n"],
  ["organizations show s", "words\nselected\t\n"],
  ["completion z", "words\nzsh\t\n"],
])("completes %j", async (line, text) => {
  expect(await completed(line)).toBe(text);
});

it("completes versions of the named template", async () => {
  expect(await completed("templates versions promote box ")).toMatch(/^words\n\S+\t\n$/);
  expect(await completed("templates versions promote none ")).toBe("words\n");
});

it("completes no names without a session or a server", async () => {
  expect(await completed("--token wrong show ")).toBe("words\n");
  expect(await completed("--url http://127.0.0.1:1 show ")).toBe("words\n");
});

it("waits only briefly for a server that does not answer", async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const start = performance.now();
  expect(await completed(`--url http://127.0.0.1:${port} show `)).toBe("words\n");
  expect(performance.now() - start).toBeLessThan(10_000);
  silent.close();
});
