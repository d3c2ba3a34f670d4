import { build } from "esbuild";
import { chromium, type Page } from "playwright-core";

/** A page of the server in a browser, with a module loaded. The opener disposes of it. */
interface BrowserPage extends AsyncDisposable {
  readonly page: Page;
}

/** Opens a page of the server as a user and runs a module of the repository in it. */
export async function openBrowserPage(
  serverUrl: string,
  token: string,
  module: string,
): Promise<BrowserPage> {
  const browser = await chromium.launch({
    executablePath: process.env["SLIPWAY_CHROMIUM"] ?? "/usr/bin/chromium",
    // The sandbox does not work as root.
    args: ["--no-sandbox"],
  });
  const context = await browser.newContext();
  await context.addCookies([{ name: "coder_session_token", value: token, url: serverUrl }]);
  const page = await context.newPage();
  await page.goto(`${serverUrl}/healthz`);
  await page.addScriptTag({ content: await bundle(module), type: "module" });
  return { page, [Symbol.asyncDispose]: () => browser.close() };
}

/** Node.js modules stay out: code that runs in a browser must not import them. */
async function bundle(module: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [module],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    conditions: ["@slipway/source"],
    external: ["node:*"],
  });
  const [file] = outputFiles;
  if (file === undefined || /from\s*"node:/.test(file.text)) {
    throw new Error(`${module} imports Node.js modules`);
  }
  return file.text;
}
