import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { listTokens } from "@slipway/api/users/key-routes";
import { getUser } from "@slipway/api/users/routes";
import {
  connectExternalAgent,
  logIn,
  makeWorkspace,
  openClient,
  pushTemplate,
  reportSshConnection,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import {
  type CommandServer,
  type CommandResult,
  openCommandServer,
} from "./support/command-server.ts";

let commandServer: CommandServer;
beforeAll(async () => {
  commandServer = await openCommandServer();
});
afterAll(() => commandServer[Symbol.asyncDispose]());

function slipway(
  line: string,
  replies?: readonly (string | boolean)[],
  input?: string,
): Promise<CommandResult> {
  return commandServer.slipway(line, replies, input);
}

it("creates a user with a generated password, and logs in with it", async () => {
  const { code, err } = await slipway("users create -u ada -e ada@example.com");
  expect(code).toBe(0);
  const password = /shown only once: (\w+)/.exec(err)?.[1] ?? "";
  const ada = await logIn(commandServer.server.url, { email: "ada@example.com", password });
  expect(await ada.call(getUser, { params: { user: "me" } })).toMatchObject({ username: "ada" });
});

it("prompts for the fields of a new user on a terminal, and names the missing flags elsewhere", async () => {
  const asked = await slipway("users create", ["bea", "bea@example.com", "Bea B"]);
  expect(asked.err).toContain("? Full name (optional)");
  expect((await slipway("users show bea")).out).toContain("Bea B");
  await slipway("users create -u bob", ["bob@example.com", ""]);
  const unnamed: unknown = JSON.parse((await slipway("users list --search bob -o json")).out);
  expect(unnamed).toMatchObject([{ username: "bob", name: "" }]);
  expect((await slipway("users create -u bev -e bev@example.com", [])).code).toBe(0);
  const refused = await slipway("users create -u cid");
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("not a terminal: pass --email");
});

it("lists and shows users, as text and as JSON", async () => {
  await slipway("users create -u dan -e dan@example.com -n Dan --login-type none");
  const list = await slipway("users list --search dan");
  expect(list.out).toMatch(/^USERNAME .*\ndan +dan@example.com +member +dormant +just now\n$/);
  const json: unknown = JSON.parse((await slipway("users list --search dan -o json")).out);
  expect(json).toMatchObject([{ username: "dan", login_type: "none" }]);
  const show = await slipway("users show dan");
  expect(show.out).toMatch(/Organizations +default\nCreated +just now\nLast seen +never\n/);
});

it("shows an empty inbox, and marks it as read", async () => {
  expect(await slipway("inbox")).toMatchObject({ code: 0, err: "no unread notifications\n" });
  const all = await slipway("inbox --all --mark-read -o json");
  expect(JSON.parse(all.out)).toEqual([]);
});

it("sends notifications to oneself, also while they are paused", async () => {
  const read = "read it with: slipway inbox\n";
  expect(await slipway("notifications test")).toEqual({
    code: 0,
    out: "",
    err: `a test notification has been sent\n${read}`,
  });
  expect((await slipway("notifications pause")).err).toBe("notifications are paused\n");
  expect((await slipway("notification custom Tests passed")).err).toBe(
    "a notification has been sent\nnotifications are paused: it is delivered when they are resumed\n",
  );
  expect((await slipway("inbox -c title")).out).toBe("TITLE\nA test notification\n");
  expect((await slipway("notifications resume")).err).toBe("notifications are resumed\n");
  expect((await slipway("inbox -c title,content")).out).toMatch(/^TITLE.*\nTests +passed\nA test/);
  const wrong = await slipway("notifications custom Tests");
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("message") });
  await slipway("inbox --mark-read");
});

it("sets roles, and names the existing ones", async () => {
  await slipway("users create -u eva -e eva@example.com");
  const given = await slipway("users edit-roles eva --roles auditor,user-admin");
  expect(given.err).toContain("eva now has the roles: auditor, user-admin");
  const taken = await slipway("users edit-roles eva --roles member");
  expect(taken.err).toContain("eva now has the roles: member");
  const wrong = await slipway("users edit-roles eva --roles king");
  expect(wrong).toMatchObject({
    code: 2,
    err: expect.stringContaining("wanted one or more of owner, "),
  });
  expect(await slipway("users edit-roles eva")).toMatchObject({ code: 2 });
});

it("suspends, activates and deletes", async () => {
  await slipway("users create -u fay -e fay@example.com");
  expect((await slipway("users suspend fay")).err).toContain("fay is suspended");
  expect(await slipway("users activate fay -c username,status")).toMatchObject({
    out: "USERNAME  STATUS\nfay       active\n",
    err: "fay is active\n",
  });
  expect(await slipway("users delete fay")).toMatchObject({ code: 2 });
  expect(await slipway("users delete fay", [false])).toMatchObject({
    code: 1,
    err: expect.stringContaining("no user was deleted"),
  });
  expect((await slipway("users delete fay", [true])).err).toContain("user fay is deleted");
  expect(await slipway("users show fay")).toMatchObject({ code: 4 });
});

it("resets the password of another user, to a generated one or one from stdin", async () => {
  await slipway("users create -u gil -e gil@example.com -p correct-horse-battery-42");
  const before = await logIn(commandServer.server.url, {
    email: "gil@example.com",
    password: "correct-horse-battery-42",
  });
  const { code, out, err } = await slipway("users reset-password gil");
  expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining("shown only once") });
  await logIn(commandServer.server.url, { email: "gil@example.com", password: out.trim() });
  const me = { params: { user: "me" } };
  await expect(before.call(getUser, me)).rejects.toMatchObject({ status: 401 });

  const password = "another-horse-battery-43";
  const line = "users reset-password gil --password-stdin";
  expect(await slipway(line, undefined, `${password}\n`)).toMatchObject({ code: 0, out: "" });
  await logIn(commandServer.server.url, { email: "gil@example.com", password });
  expect(await slipway(line, undefined, "\n")).toMatchObject({
    code: 2,
    err: expect.stringContaining("no password on stdin"),
  });
  expect(await slipway(line, [password, "not the same"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("the passwords do not match"),
  });
  expect(await slipway("users reset-password nobody")).toMatchObject({ code: 4 });
});

it("names the directory that it cannot store a session in", async () => {
  const email = "ivy@example.com";
  await slipway(`users create -u ivy -e ${email} -p correct-horse-battery-42`);
  await writeFile(join(commandServer.directory, "file"), "");
  const line = `login --email ${email} --password correct-horse-battery-42 --config-dir @/file/ivy`;
  const environment = { ...commandServer.environment, CODER_SESSION_TOKEN: undefined };
  const { code, err } = await commandServer.slipway(line, undefined, undefined, environment);
  expect(code).toBe(1);
  expect(err).toContain(`cannot store the session in ${commandServer.directory}/file/ivy: `);
  expect(err).toContain("--config-dir");
});

it("changes your own password with the current one, and stays logged in", async () => {
  const email = "hal@example.com";
  await slipway(`users create -u hal -e ${email} -p correct-horse-battery-42`);
  const asHal = ["--config-dir", "@/hal"].join(" ");
  const hal = { ...commandServer.environment, CODER_SESSION_TOKEN: undefined };
  const run = (line: string, replies?: readonly string[], input?: string): Promise<CommandResult> =>
    commandServer.slipway(`${line} ${asHal}`, replies, input, hal);
  await run(`login --email ${email} --password correct-horse-battery-42`);

  expect(await run("users reset-password")).toMatchObject({
    code: 2,
    err: expect.stringContaining("pass --password-stdin"),
  });
  const changed = "another-horse-battery-43";
  expect(await run("users reset-password", ["wrong", changed, changed])).toMatchObject({
    code: 1,
    err: expect.stringContaining("Old password is incorrect."),
  });
  const answers = ["correct-horse-battery-42", changed, changed];
  expect(await run("users reset-password", answers)).toMatchObject({ code: 0, out: "" });
  expect((await run("whoami")).out).toContain("hal");

  const third = "third-horse-battery-44";
  const input = `${changed}\n${third}\n`;
  // Under the caller's own name it is also their own password, and requires the current one.
  expect(await run("users reset-password hal --password-stdin", undefined, input)).toMatchObject({
    code: 0,
  });
  await logIn(commandServer.server.url, { email, password: third });
});

it("creates a working token, lists, revokes and deletes it", async () => {
  const { out } = await slipway("tokens create --name ci --lifetime 8h");
  const ci = openClient(commandServer.server.url, out.trim());
  const params = { user: "me" };
  const [token] = await ci.call(listTokens, { params });
  expect(token).toMatchObject({ token_name: "ci", lifetime_seconds: 28_800 });
  expect((await slipway("tokens list")).out).toMatch(/ ci +admin +coder:all .* in [78] hours /);
  expect((await slipway("tokens remove ci")).err).toContain("token ci is revoked");
  await expect(ci.call(listTokens, { params })).rejects.toMatchObject({ status: 401 });
  expect((await slipway("tokens list")).err).toContain("no tokens");
  const all: unknown = JSON.parse((await slipway("tokens list --include-expired -o json")).out);
  expect(all).toMatchObject([{ token_name: "ci" }]);
  await slipway(`tokens remove ${token?.id} --delete`);
  expect(await slipway("tokens remove ci")).toMatchObject({ code: 4 });
});

it("creates a token of 30 days for an administrator, and names the maximum lifetime", async () => {
  const { code, out } = await slipway("tokens create --name ci-30d --lifetime 30d");
  expect(code).toBe(0);
  const [token] = await openClient(commandServer.server.url, out.trim()).call(listTokens, {
    params: { user: "me" },
  });
  expect(token).toMatchObject({ lifetime_seconds: 30 * 86_400 });
  expect(await slipway("tokens create --lifetime 1y")).toEqual({
    code: 2,
    out: "",
    err: "error: --lifetime 1y is too long: this server limits your tokens to 90d\npass --lifetime 90d\n",
  });
});

it("creates a token for another user, and refuses an invalid lifetime or scope", async () => {
  await slipway("users create -u bot -e bot@example.com --login-type none");
  const { out } = await slipway("tokens create --user bot");
  const bot = openClient(commandServer.server.url, out.trim());
  expect(await bot.call(getUser, { params: { user: "me" } })).toMatchObject({ username: "bot" });
  expect(await slipway("tokens create --lifetime soon")).toMatchObject({ code: 2 });
  expect(await slipway("tokens create --scope all:of:it")).toMatchObject({ code: 2 });
});

it("shows the audit trail, filtered by flags", async () => {
  await slipway("users create -u ida -e ida@example.com");
  await slipway("users suspend ida");
  const table = await slipway("audit --resource user --target ida");
  expect(table.out).toMatch(
    /^TIME +USER +ACTION +RESOURCE +TARGET +STATUS +IP\njust now +admin +write +user +ida +200 .*\njust now +admin +create +user +ida +201 /,
  );
  const one = await slipway("audit --user admin --action create --target ida -c description");
  expect(one.out).toBe("DESCRIPTION\nadmin created user ida\n");
  const json: unknown = JSON.parse((await slipway("audit --target ida -l 1 -o json")).out);
  expect(json).toMatchObject([{ action: "write", resource_target: "ida" }]);
  const older: unknown = JSON.parse((await slipway("audit --target ida --offset 1 -o json")).out);
  expect(older).toMatchObject([{ action: "create", resource_target: "ida" }]);
  expect((await slipway("audit --user nobody")).err).toContain("no entries");
  expect(await slipway("audit --limit -1")).toMatchObject({ code: 2 });
  expect((await slipway("audit --resource API-key --action create")).code).toBe(0);
  expect(await slipway("audit --action bogus")).toEqual({
    code: 2,
    out: "",
    err: expect.stringMatching(
      /^error: --action is "bogus", wanted create, write, .* or deny\nsee: slipway audit --help\n$/,
    ),
  });
  const searched = await slipway("audit --search action:bogus");
  expect(searched.err).toContain("action: must be one of create, write, ");
});

it("shares no port that no browser could open, and says so first", async () => {
  expect(await slipway("port-shares add none 8080")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("has no host names for ports, so nothing was shared\n"),
  });
});

it("shows connections to workspaces, filtered by flags", async () => {
  const { admin } = commandServer;
  const template = "driver: external\nagents: { main: { os: linux, arch: amd64 } }\n";
  const templateId = await pushTemplate(admin, "outside", template);
  const workspace = await makeWorkspace(admin, "reached", templateId, () => true);
  const agent = await connectExternalAgent(admin, workspace.id, "main");
  onTestFinished(() => agent.connection.close());
  const beganAtMs = Date.now() - 90_000;
  await reportSshConnection(agent, {
    id: randomUUID(),
    ip: "192.0.2.7",
    beganAtMs,
    endedAtMs: beganAtMs + 65_000,
    exitCode: 3,
  });
  const table = await slipway("connections --workspace reached --type ssh --status completed");
  expect(table.out).toMatch(
    /^TIME +OWNER +WORKSPACE +AGENT +TYPE +USER +ADDRESS +DURATION +EXIT CODE\n1 minute ago +admin +reached +main +ssh +unknown +unknown +1m5s +3\n$/,
  );
  const json: unknown = JSON.parse((await slipway("connections -u admin -o json")).out);
  expect(json).toMatchObject([{ workspace_name: "reached", ssh_info: { exit_code: 3 } }]);
  for (const name of ["reached", "admin/reached", workspace.id]) {
    expect((await slipway(`connections ${name}`)).out).toBe(
      (await slipway("connections --workspace reached")).out,
    );
  }
  expect(await slipway("connections none")).toMatchObject({ code: 4 });
  expect((await slipway("connections --status ongoing")).err).toContain("no connections");
  expect(await slipway("connections --type telnet")).toMatchObject({
    code: 2,
    err: expect.stringContaining("wanted ssh, vscode, jetbrains or reconnecting_pty"),
  });
});
