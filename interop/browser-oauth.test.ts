import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openLocalServer, startServerProcess, testAdmin } from "@slipway/testkit";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";

/* The page at which a user lets a program act for them, in a browser without scripts. */

const verifier = "a-verifier-of-the-length-that-the-rfc-demands";

it("leads over the login to the question, and with the answer to a port of this machine", async () => {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "slipway-oauth-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  // The pages of the server itself work without scripts.
  const environment = { SLIPWAY_DASHBOARD: "false" };
  const server = await startServerProcess({ dataDir: directory, port: 0, environment });
  opened.defer(() => server.end("SIGINT"));
  const answers: URLSearchParams[] = [];
  const program = opened.use(
    await openLocalServer(
      createServer(({ url = "" }, response) => {
        const { pathname, searchParams } = new URL(url, "http://program");
        if (pathname === "/callback") answers.push(searchParams);
        response.setHeader("Content-Type", "text/html").end("<p>The program has it.</p>");
      }),
    ),
  );
  const browser = await chromium.launch({
    executablePath: process.env["SLIPWAY_CHROMIUM"] ?? "/usr/bin/chromium",
    // The sandbox does not work as root.
    args: ["--no-sandbox"],
  });
  opened.defer(() => browser.close());
  const tab = await (await browser.newContext({ javaScriptEnabled: false })).newPage();

  const registered = await fetch(`${server.url}/oauth2/register`, {
    method: "POST",
    body: JSON.stringify({
      client_name: "<b>Test</b> program",
      // The port differs each time.
      redirect_uris: ["http://127.0.0.1/callback"],
    }),
  });
  const clientId = String(Object(await registered.json()).client_id);
  const redirectUri = `${program.url}/callback`;
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    state: "its state",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const address = `${server.url}/oauth2/authorize?${query.toString()}`;

  await tab.goto(address);
  await tab.getByLabel("Email").fill(testAdmin.email);
  await tab.getByLabel("Password").fill(testAdmin.password);
  await tab.keyboard.press("Enter");
  await tab.getByText("“<b>Test</b> program”").waitFor();
  await tab.getByRole("button", { name: "Deny" }).click();
  await tab.getByText("The program has it.").waitFor();
  expect(Object.fromEntries(answers.at(-1) ?? [])).toMatchObject({
    error: "access_denied",
    state: "its state",
    iss: server.url,
  });

  await tab.goto(address);
  await tab.getByRole("button", { name: "Allow" }).click();
  await tab.getByText("The program has it.").waitFor();
  expect(answers).toHaveLength(2);
  const tokens = await fetch(`${server.url}/oauth2/tokens`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: answers.at(-1)?.get("code") ?? "",
      code_verifier: verifier,
      client_id: clientId,
      redirect_uri: redirectUri,
    }),
  });
  const { access_token: token } = Object(await tokens.json());
  const listed = await fetch(`${server.url}/api/v2/workspaces`, {
    headers: { Authorization: `Bearer ${String(token)}` },
  });
  expect(listed.status).toBe(200);
});
