import { regenerateGitKey } from "@slipway/api/users/git-key-routes";
import { pushTemplate } from "@slipway/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type CommandServer,
  type CommandResult,
  openCommandServer,
} from "./support/command-server.ts";

/** A template of the driver `external`, so that a start completes without an agent. */
const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer();
  await pushTemplate(commandServer.admin, "box", template);
  await commandServer.slipway("create demo -t box");
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(line: string, replies?: readonly (string | boolean)[]): Promise<CommandResult> {
  return commandServer.slipway(line, replies);
}

async function json(line: string): Promise<unknown> {
  const { out } = await slipway(`${line} -o json`);
  return JSON.parse(out);
}

it("shows the organization and its members", async () => {
  expect((await slipway("org ls")).out).toMatch(
    /^NAME .*\ndefault +Default +[0-9a-f-]{36} +yes\n$/,
  );
  const { out: id } = await slipway("organizations show --only-id");
  expect(await json("organizations show me")).toMatchObject([{ id: id.trim(), name: "default" }]);
  expect(await slipway("organizations show nowhere")).toMatchObject({ code: 4 });
  expect((await slipway("org member ls -c username,name")).out).toMatch(/^USERNAME +NAME\nadmin/);
  expect(await json("organizations members list")).toMatchObject([{ username: "admin" }]);
});

it.each(["templates list", "prebuilds list", "create two -t nothing"])(
  "knows no other organization in %s",
  async (line) => {
    const text = "organization nowhere does not exist or is not visible to you";
    const { code, err } = await slipway(`${line} --org nowhere`);
    expect([code, err]).toEqual([4, expect.stringContaining(text)]);
    expect((await slipway(`${line} --org default`)).err).not.toContain(text);
  },
);

it("lists builds, and refuses to cancel a finished one", async () => {
  const list = await slipway("provisioner jobs list -s succeeded -c type,status");
  expect(list.out.split("\n")).toContain("workspace_build          succeeded");
  const jobs = await json("provisioner jobs list --initiator me --limit 1");
  expect(jobs).toMatchObject([{ type: "workspace_build", metadata: { workspace_name: "demo" } }]);
  expect((await slipway("provisioner jobs list -s pending")).err).toBe("no jobs\n");
  const { out: id } = await slipway("provisioner jobs list -l 1 -c id");
  const done = await slipway(`provisioner jobs cancel ${id.split("\n")[1]}`);
  expect(done).toMatchObject({ code: 1, err: expect.stringContaining("has already finished") });
  const none = "0190a1b2-0000-7000-8000-000000000001";
  expect(await slipway(`provisioner jobs cancel ${none}`)).toMatchObject({ code: 4 });
  expect(await slipway("provisioner jobs list -l 0")).toMatchObject({ code: 2 });
});

it("prints the key for git, and replaces it only after confirmation", async () => {
  const { out } = await slipway("publickey");
  expect(out).toMatch(/^ssh-ed25519 \S+\n$/);
  expect(await slipway("publickey --reset")).toMatchObject({ code: 2, out: "" });
  expect(await slipway("pubkey --reset", [false])).toMatchObject({ code: 1, out: "" });
  expect((await slipway("publickey")).out).toBe(out);
  const { out: next } = await slipway("publickey --reset -y");
  expect(next).not.toBe(out);
  expect((await slipway("publickey")).out).toBe(next);
  const { public_key } = await commandServer.admin.call(regenerateGitKey, {
    params: { user: "me" },
  });
  expect((await slipway("publickey")).out).toBe(`${public_key.trim()}\n`);
});

it("prints the current token, and shows others without their secret", async () => {
  const { out } = await slipway("login token");
  expect(out.trim()).toBe(commandServer.admin.headers["Coder-Session-Token"]);
  await slipway("tokens create -n ci --lifetime 2h");
  expect((await slipway("token view ci -c name,owner")).out).toBe("NAME  OWNER\nci    admin\n");
  expect(await json("tokens view ci")).toMatchObject({ token_name: "ci", lifetime_seconds: 7200 });
  expect(await slipway("tokens view none")).toMatchObject({
    code: 4,
    err: expect.stringContaining("slipway tokens list"),
  });
});

it("searches all users' workspaces, and prints the requested columns", async () => {
  const { out } = await slipway("ls --search template:box -c status,workspace");
  expect(out).toBe("STATUS   WORKSPACE\nrunning  admin/demo\n");
  expect((await slipway("list --search owner:nobody")).err).toBe("no workspaces\n");
  // Nobody shares a workspace.
  expect(await slipway("list --shared-with-me -o json")).toMatchObject({ code: 0, out: "[]\n" });
});

it("explains where external-auth works, and reports an unknown provider", async () => {
  expect(await slipway("external-auth access-token github")).toMatchObject({
    code: 2,
    err: expect.stringContaining("CODER_AGENT_URL is not set"),
  });
  const { url } = commandServer.server;
  const wrong = `external-auth access-token github --agent-url ${url} --agent-token nonsense`;
  expect(await slipway(wrong)).toMatchObject({ code: 3, out: "" });
});

it("measures the machine without a server", async () => {
  const stat = await json("stat");
  expect(stat).toMatchObject([{ host_cpu: { unit: "cores" }, host_memory: { unit: "B" } }]);
  expect(await json("stat disk --path @/")).toMatchObject({ unit: "B" });
  expect((await slipway("stat mem --prefix Mi")).out).toMatch(/^\S+\/\S+ MiB \(\d+%\)\n$/);
  expect((await slipway("stat -c host@disk")).err).toContain("wanted one of host cpu, host memory");
});
