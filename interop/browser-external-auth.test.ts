import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startServerProcess, testAdmin } from "@slipway/testkit";
import { type OAuthServer, openOAuthServer } from "@slipway/testkit/oauth";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

/* The pages of a provider login, in a browser without scripts, using only the keyboard. */

const opened = new AsyncDisposableStack();
let provider: OAuthServer;
let serverUrl = "";
let context: BrowserContext;

beforeAll(async () => {
  provider = opened.use(await openOAuthServer());
  const directory = await mkdtemp(join(tmpdir(), "slipway-external-auth-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  // The pages of the server itself work without scripts.
  const environment = { ...provider.settings(0, "git"), SLIPWAY_DASHBOARD: "false" };
  const server = await startServerProcess({ dataDir: directory, port: 0, environment });
  opened.defer(() => server.end("SIGINT"));
  serverUrl = server.url;
  const browser = await chromium.launch({
    executablePath: process.env["SLIPWAY_CHROMIUM"] ?? "/usr/bin/chromium",
    // The sandbox does not work as root.
    args: ["--no-sandbox"],
  });
  opened.defer(() => browser.close());
  context = await browser.newContext({ javaScriptEnabled: false });
});

afterEach(() => {
  provider.changeRedirect = () => undefined;
});

afterAll(() => opened.disposeAsync());

/** Moves the focus by keyboard to the element with this name and presses Enter. */
async function press(tab: Page, name: string): Promise<void> {
  const wanted = tab.getByRole("button", { name }).or(tab.getByRole("link", { name }));
  await wanted.waitFor();
  for (let tries = 0; tries < 5; tries += 1) {
    await tab.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element.matches(":focus-visible"))) break;
  }
  await tab.keyboard.press("Enter");
}

async function problemOn(tab: Page): Promise<string> {
  await tab.getByRole("alert").getByText("The login to Git Test failed.").waitFor();
  expect(await tab.title()).toBe("Login to Git Test failed");
  return tab.locator("main").innerText();
}

it("leads over the login to the server to the provider and back", async () => {
  const tab = await context.newPage();
  await tab.goto(`${serverUrl}/external-auth/git`);
  await tab.getByLabel("Email").fill(testAdmin.email);
  await tab.getByLabel("Password").fill(testAdmin.password);
  await tab.keyboard.press("Enter");
  await press(tab, "Log in with Git Test");
  await tab.getByText("You are logged in to Git Test as ada.").waitFor();
  // Neither the code nor the state remains in the address.
  expect(tab.url()).toBe(`${serverUrl}/external-auth/git`);
  await press(tab, "Log in again");
  await tab.getByText("You are logged in to Git Test as ada.").waitFor();
  await tab.close();
});

it("says that the login was canceled at the provider, and tries again", async () => {
  provider.changeRedirect = ({ searchParams }) => {
    searchParams.delete("code");
    searchParams.set("error", "access_denied");
    searchParams.set("error_description", "The user said no");
  };
  const tab = await context.newPage();
  await tab.goto(`${serverUrl}/external-auth/git`);
  await press(tab, "Log in again");
  expect(await problemOn(tab)).toContain(
    "It was canceled or denied at Git Test (it answered: access_denied: The user said no).",
  );
  provider.changeRedirect = () => undefined;
  await press(tab, "Try again");
  await press(tab, "Log in again");
  await tab.getByText("You are logged in to Git Test as ada.").waitFor();
  await tab.close();
});

it("explains a login that is not the one which the browser began", async () => {
  let callback = "";
  provider.changeRedirect = (back) => {
    callback = back.href;
    back.searchParams.set("state", "another");
  };
  const tab = await context.newPage();
  await tab.goto(`${serverUrl}/external-auth/git`);
  await press(tab, "Log in again");
  const expired = "This login has expired, was completed before, or began in another session.";
  expect(await problemOn(tab)).toContain(expired);
  // The correct address is useless later.
  await tab.goto(callback);
  expect(await problemOn(tab)).toContain(expired);
  await tab.goto(`${serverUrl}/external-auth/none`);
  await tab
    .getByRole("alert")
    .getByText("This server has no such external auth provider.")
    .waitFor();
  await tab.close();
});
