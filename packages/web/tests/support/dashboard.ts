import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AxeBuilder } from "@axe-core/playwright";
import { createUser } from "@slipway/api/users/routes";
import type { ApiClient } from "@slipway/sdk/http";
import {
  freshName,
  logIn,
  logInAsAdmin,
  type ServerProcess,
  startServerProcess,
  testAdmin,
} from "@slipway/testkit";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

export interface DashboardOptions {
  /** Additional settings of the server, by variable. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The directory of the server, which its owner removes (default: a new one). */
  readonly dataDir?: string;
  /** The words that start the server (default: the clone's command). */
  readonly command?: readonly string[];
}

/** A server with its dashboard, and a browser. */
export interface Dashboard extends AsyncDisposable {
  readonly server: ServerProcess;
  /** The directory of the server's data. */
  readonly dataDir: string;
  /** The API with the session of an administrator. */
  readonly admin: ApiClient;
  /** Opens a page without a session, and watches it for errors. */
  openPage(options?: BrowserContextOptions): Promise<WatchedPage>;
  /** Opens a page on which the administrator is logged in. */
  openAdminPage(options?: BrowserContextOptions): Promise<WatchedPage>;
  /** Opens a page on which a new user is logged in, whose name begins like this. */
  openUserPage(prefix: string, options?: BrowserContextOptions): Promise<UserPage>;
}

/** A page that collects what its console reports as an error, violations of its policy included. */
export interface WatchedPage {
  readonly page: Page;
  readonly problems: string[];
}

/** A page, and its user, whom no other page has. */
export interface UserPage extends WatchedPage {
  readonly user: Credentials & { readonly username: string };
  /** The API with a session of the user. */
  readonly client: ApiClient;
}

interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Starts a server in its own directory, and a browser. */
export async function openDashboard(options: DashboardOptions = {}): Promise<Dashboard> {
  await using opened = new AsyncDisposableStack();
  const { dataDir = await newDirectory(opened) } = options;
  const server = await startServerProcess({ port: 0, ...options, dataDir });
  opened.defer(() => server.end("SIGINT"));
  const browser = await chromium.launch({
    executablePath: process.env["SLIPWAY_CHROMIUM"] ?? "/usr/bin/chromium",
    // The sandbox does not work as root; without a graphics card terminals are drawn as elements, which can be read.
    args: ["--no-sandbox", "--disable-3d-apis"],
  });
  opened.defer(() => browser.close());
  const admin = await logInAsAdmin(server.url);
  const resources = opened.move();
  const openPage: Dashboard["openPage"] = (pageOptions) =>
    openWatchedPage(browser, { baseURL: server.url, ...pageOptions });
  return {
    server,
    dataDir,
    admin,
    openPage,
    openAdminPage: async (pageOptions) => {
      const watched = await openPage(pageOptions);
      await logInByPage(watched.page, testAdmin);
      return watched;
    },
    openUserPage: async (prefix, pageOptions) => {
      const user = newUser(prefix);
      await admin.call(createUser, { body: user });
      const watched = await openPage(pageOptions);
      await logInByPage(watched.page, user);
      return { ...watched, user, client: await logIn(server.url, user) };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Returns a user that no deployment of these tests has yet. */
export function newUser(prefix: string): UserPage["user"] {
  const username = freshName(prefix);
  return { username, email: `${username}@example.com`, password: "correct-horse-1" };
}

async function newDirectory(opened: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-web-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function openWatchedPage(
  browser: Browser,
  options: BrowserContextOptions,
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => {
    // A page may lead to others, such as those of a login provider.
    const isOurs = message.location().url.startsWith(options.baseURL ?? "");
    if (message.type() === "error" && isOurs) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  return { page, problems };
}

/** Logs in on the page for it, and waits for the page after it. */
export async function logInByPage(page: Page, { email, password }: Credentials): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.waitForURL(({ pathname }) => pathname !== "/login");
}

/** Shows the page in the other theme, as if it were chosen in another tab; returns the choice so far. */
const swapTheme = `(async () => {
  const { dataset } = document.documentElement;
  const isDark = dataset.theme === "dark" ||
    (dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  const chosen = localStorage.getItem("slipway-theme") ?? "system";
  localStorage.setItem("slipway-theme", isDark ? "light" : "dark");
  dispatchEvent(new StorageEvent("storage"));
  do await new Promise(requestAnimationFrame);
  while (document.getAnimations().some((one) => one instanceof CSSTransition));
  return chosen;
})()`;

/**
 * Expects a page without errors in its console and without violations of accessibility rules; those about colors hold
 * in the light and in the dark. `expected` matches the errors that the test itself causes.
 */
export async function expectSound(
  { page, problems }: WatchedPage,
  expected?: RegExp,
): Promise<void> {
  expect(await violationsOf(new AxeBuilder({ page })), page.url()).toEqual([]);
  // With less motion, no color is on its way to another.
  await page.emulateMedia({ reducedMotion: "reduce" });
  const chosen = await page.evaluate(swapTheme);
  const colors = new AxeBuilder({ page }).withRules(["color-contrast"]);
  expect(await violationsOf(colors), `${page.url()} in the other theme`).toEqual([]);
  await page.evaluate(`localStorage.setItem("slipway-theme", ${JSON.stringify(chosen)})`);
  await page.evaluate("dispatchEvent(new StorageEvent('storage'))");
  await page.emulateMedia({ reducedMotion: null });
  // A repetition of the test on this page begins without them.
  const found = problems.splice(0).filter((problem) => expected?.test(problem) !== true);
  expect(found, page.url()).toEqual([]);
}

async function violationsOf(axe: AxeBuilder): Promise<readonly string[]> {
  const { violations } = await axe.analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
