import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type MemoryTerminal, memoryTerminal } from "../tests/support/memory-terminal.ts";
import { noOpener } from "../tests/support/recorded-opener.ts";
import { workspaceWords } from "./command/parse.ts";
import { runCommandLine } from "./command/run-command-line.ts";
import { commandTable } from "./gen/workspace-table.ts";

/* The commands that programs inside a workspace call, against a server that responds like the real one. */

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Request {
  readonly line: string;
  readonly token: unknown;
  readonly body: string;
}

let answers: Answer[] = [];
let requests: Request[] = [];
let server: Server;
let url = "";
let home = "";
/** Variables in addition to the usual ones, or in place of them. */
let variables: Readonly<Record<string, string | undefined>> = {};

beforeEach(async () => {
  [answers, requests, variables] = [[], [], {}];
  home = await mkdtemp(join(tmpdir(), "slipway-inside-"));
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.once("end", () => {
      const line = `${request.method} ${decodeURIComponent(request.url ?? "")}`;
      const token = request.headers["coder-session-token"];
      requests.push({ line, token, body: Buffer.concat(parts).toString() });
      const { status, body } = answers.shift() ?? { status: 404, body: { message: "none" } };
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(home, { recursive: true });
});

interface Result {
  readonly code: number;
  readonly terminal: MemoryTerminal;
}

async function run(...words: readonly string[]): Promise<Result> {
  const terminal = memoryTerminal();
  const environment = {
    PATH: `${home}:${process.env["PATH"] ?? ""}`,
    HOME: home,
    CODER_AGENT_URL: url,
    CODER_AGENT_TOKEN: "the-token",
    ...variables,
  };
  const { signal } = new AbortController();
  const interruption = { interrupted: new Promise<never>(() => undefined), forced: signal };
  const needs = {
    terminal,
    environment,
    clock: systemClock,
    signal,
    interruption,
    opener: noOpener,
  };
  const code = await runCommandLine(commandTable, workspaceWords(words), needs);
  return { code, terminal };
}

const linked = (username: string, password: string, address = ""): Answer => ({
  status: 200,
  body: {
    access_token: "t",
    token_extra: null,
    url: address,
    type: "x",
    expires_at: "0001-01-01T00:00:00Z",
    username,
    password,
  },
});

describe("an answer to Git", () => {
  it.each([
    ["Username for 'https://git.test': ", linked("token", ""), "token"],
    ["Username for 'https://git.test': ", linked("oauth2", "token"), "oauth2"],
    ["Password for 'https://oauth2@git.test': ", linked("oauth2", "token"), "token"],
    ["Password for 'https://token@git.test': ", linked("token", ""), "token"],
  ])("is the owner's for %s", async (prompt, answer, expected) => {
    answers = [answer];
    const { code, terminal } = await run(prompt);
    expect([code, terminal.outText()]).toEqual([0, `${expected}\n`]);
    expect(requests).toMatchObject([
      {
        line: "GET /api/v2/workspaceagents/me/external-auth?id=&match=https://git.test",
        token: "the-token",
      },
    ]);
  });

  it("waits for the owner's login, whose address it prints, through a server's failures", async () => {
    const login = "https://slipway.test/external-auth/git";
    const away = { status: 502, body: {} };
    answers = [linked("", "", login), away, linked("", "", login), linked("u", "p")];
    const { code, terminal } = await run("Password for 'https://u@git.test': ");
    expect([code, terminal.outText()]).toEqual([0, "p\n"]);
    expect(terminal.errText()).toContain(login);
    expect(requests.slice(1).every(({ line }) => line.endsWith("&listen=true"))).toBe(true);
  });

  it("is none for a host that the server does not know", async () => {
    const { code, terminal } = await run("Username for 'https://git.test': ");
    expect([code, terminal.outText()]).toEqual([1, ""]);
    expect(terminal.errText()).toBe("the server has no tokens for https://git.test\n");
  });

  it("is none for another question", async () => {
    const { code, terminal } = await run("gitaskpass", "Passphrase for key: ");
    expect([code, requests.length]).toEqual([2, 0]);
    expect(terminal.errText()).toContain("not a question of Git");
  });
});

describe("the agent's credential", () => {
  const question = "Username for 'https://git.test': ";
  const file = async (text: string): Promise<string> => {
    const path = join(home, "token");
    await writeFile(path, text);
    return path;
  };

  it.each([
    ["gitaskpass", question],
    ["external-auth", "access-token", "git"],
    ["gitssh", "--", "git@git.test"],
    ["publickey"],
  ])("is a file's if %s is told so, whatever the agent has set", async (...words) => {
    const path = await file("  from-file\n");
    const flags = ["--agent-token-file", path];
    const at = words.indexOf("--");
    await run(...(at === -1 ? [...words, ...flags] : words.toSpliced(at, 0, ...flags)));
    expect(requests.map(({ token }) => token)).toEqual(["from-file"]);
  });

  it.each([
    ["that the agent has set", { CODER_AGENT_TOKEN_FILE: "/absent" }, [], "the-token"],
    ["that is typed", { CODER_AGENT_TOKEN_FILE: "/absent" }, ["--agent-token", "t"], "t"],
    [
      "that the agent of an instance has set",
      { CODER_AGENT_AUTH: "aws-instance-identity" },
      [],
      "the-token",
    ],
  ])("is the token %s", async (_, given, flags, token) => {
    variables = given;
    answers = [linked("token", "")];
    const { code } = await run("gitaskpass", question, ...flags);
    expect([code, requests[0]?.token]).toEqual([0, token]);
  });

  it("is the file of the variable without a token", async () => {
    variables = { CODER_AGENT_TOKEN: "", CODER_AGENT_TOKEN_FILE: await file("from-file") };
    answers = [linked("token", "")];
    expect((await run("gitaskpass", question)).code).toBe(0);
    expect(requests[0]?.token).toBe("from-file");
  });

  const ok = (body: unknown): Answer => ({ status: 200, body });

  it("is granted for the identity of the instance", async () => {
    variables = { AWS_EC2_METADATA_SERVICE_ENDPOINT: url };
    answers = [ok("session"), ok("signature"), ok("document")];
    answers.push(ok({ session_token: "granted" }), linked("token", ""));
    const flags = ["--auth", "aws-instance-identity", "--agent-name", "two"];
    expect((await run("gitaskpass", question, ...flags)).code).toBe(0);
    const [exchange, last] = requests.slice(3);
    expect(exchange?.line).toBe("POST /api/v2/workspaceagents/aws-instance-identity");
    expect(JSON.parse(exchange?.body ?? "")).toMatchObject({ agent_name: "two" });
    expect([exchange?.token, last?.token]).toEqual([undefined, "granted"]);
  });

  it("is none for an instance that the server does not know", async () => {
    variables = { AWS_EC2_METADATA_SERVICE_ENDPOINT: url, CODER_AGENT_TOKEN: "" };
    answers = [ok("session"), ok("signature"), ok("document")];
    const { code, terminal } = await run("gitaskpass", question, "--auth=aws-instance-identity");
    expect(code).toBe(1);
    expect(terminal.errText()).toContain("does not know this machine by its AWS identity");
  });

  it.each([
    [["--auth", "password"], 'CODER_AGENT_AUTH is "password", wanted token, aws-'],
    [["--agent-token-file", "/absent/token"], "/absent/token cannot be read: ENOENT"],
  ])("is refused before anything is sent: %j", async (flags, problem) => {
    const { code, terminal } = await run("gitaskpass", question, ...flags);
    expect([code, requests.length]).toEqual([2, 0]);
    expect(terminal.errText()).toContain(problem);
  });

  it("is missing elsewhere", async () => {
    variables = { CODER_AGENT_TOKEN: "" };
    const { code, terminal } = await run("gitaskpass", question);
    expect(code).toBe(2);
    expect(terminal.errText()).toContain("CODER_AGENT_TOKEN is not set");
  });
});

describe("ssh for Git", () => {
  const pair = { public_key: "ssh-ed25519 AAAA\n", private_key: "the private key\n" };

  /** Installs a program in place of ssh that records its arguments and the last of its keys. */
  async function fakeSsh(exitCode: number): Promise<void> {
    const text = `#!/bin/sh
[ "$1" = -G ] && { echo "identityfile ~/.ssh/none"; echo "identityfile ${home}/own"; exit; }
echo "$@" > ${home}/words
cat "$4" > ${home}/key; stat -c %a "$4" > ${home}/mode
exit ${exitCode}
`;
    await writeFile(join(home, "ssh"), text);
    await chmod(join(home, "ssh"), 0o755);
    await writeFile(join(home, "own"), "");
  }

  const read = (name: string): Promise<string> => readFile(join(home, name), "utf8");

  it("has the owner's key behind the user's own, which is gone when it ends", async () => {
    await fakeSsh(3);
    answers = [{ status: 200, body: pair }];
    const { code } = await run("gitssh", "--", "-p", "22", "git@git.test", "git-upload-pack 'a'");
    expect(code).toBe(3);
    const words = (await read("words")).trim();
    const [, own, , key = ""] = words.split(" ");
    expect([own, await read("key"), await read("mode")]).toEqual([
      join(home, "own"),
      pair.private_key,
      "600\n",
    ]);
    expect(words).toMatch(/ -p 22 git@git\.test git-upload-pack 'a'$/);
    await expect(readFile(key)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("prints the public key when the host refuses it", async () => {
    await fakeSsh(255);
    answers = [{ status: 200, body: pair }];
    const { code, terminal } = await run("gitssh", "--", "git@git.test");
    expect(code).toBe(255);
    expect(terminal.errText()).toContain("ssh-ed25519 AAAA\n");
    expect(terminal.errText()).not.toContain("private");
  });

  it("prints the owner's public key without a login", async () => {
    answers = [{ status: 200, body: pair }];
    const { terminal } = await run("publickey");
    expect(terminal.outText()).toBe("ssh-ed25519 AAAA\n");
  });
});

describe("the status of an app", () => {
  it("goes to the server as the agent's", async () => {
    answers = [{ status: 200, body: null }];
    const { code } = await run("app-status", "working", "on it", "--app", "bot");
    expect(code).toBe(0);
    const body = { app_slug: "bot", state: "working", message: "on it", uri: "" };
    expect(requests).toMatchObject([
      { line: "PATCH /api/v2/workspaceagents/me/app-status", body: JSON.stringify(body) },
    ]);
  });

  it.each([
    [["app-status", "busy", "--app", "bot"], "working, idle, complete, failure"],
    [["app-status", "idle"], "--app"],
  ])("is refused before it is sent: %j", async (words, text) => {
    const { code, terminal } = await run(...words);
    expect([code, requests.length]).toEqual([2, 0]);
    expect(terminal.errText()).toContain(text);
  });
});
