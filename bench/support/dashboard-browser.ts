import type { ApiClient } from "@slipway/sdk/http";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** Browsers whose pages are logged in, one each call. */
export type OpenContext = () => Promise<BrowserContext>;

/** Starts Chromium, which ends with `opened`; its contexts have the session of a client. */
export async function openBrowser(
  opened: AsyncDisposableStack,
  { serverUrl, headers }: Pick<ApiClient, "serverUrl" | "headers">,
): Promise<OpenContext> {
  const browser = await chromium.launch({
    executablePath: process.env["SLIPWAY_CHROMIUM"] ?? "/usr/bin/chromium",
    // The sandbox does not work as root; without a graphics card terminals are drawn as elements, which can be read.
    args: ["--no-sandbox", "--disable-3d-apis"],
  });
  opened.defer(() => browser.close());
  const { "Coder-Session-Token": value = "" } = headers;
  return async () => {
    const context = await browser.newContext({
      baseURL: serverUrl,
      viewport: { width: 1280, height: 800 },
    });
    await context.addCookies([{ name: "coder_session_token", value, url: serverUrl }]);
    return context;
  };
}

/* What runs in the pages is text: this program has no types of a browser. */

const rowWatch = `
  window.firstRowMs = new Promise((resolve) => {
    new MutationObserver((_, observer) => {
      if (document.querySelector('[role=row] a[href^="/@"]') === null) return;
      observer.disconnect();
      requestAnimationFrame(() => resolve(performance.now()));
    }).observe(document, { childList: true, subtree: true });
  });`;

/** Opens a list in a browser that has nothing of it; resolves to its page, and the time to its first painted row. */
export async function openList(
  openContext: OpenContext,
  path: string,
): Promise<{ readonly page: Page; readonly firstRowMs: number }> {
  const context = await openContext();
  const page = await context.newPage();
  await page.addInitScript(rowWatch);
  await page.goto(path);
  return { page, firstRowMs: Number(await page.evaluate("window.firstRowMs")) };
}

/** Opens a page of plain lines as high as the rows of a list: how fast this machine scrolls at best. */
export async function openPlainLines(openContext: OpenContext, count: number): Promise<Page> {
  const page = await (await openContext()).newPage();
  const line = '<div style="height: 57px; border-bottom: 1px solid">a plain line</div>';
  await page.setContent(line.repeat(count));
  return page;
}

/** Scrolls a page by some pixels at each frame; resolves to the lengths of the frames in milliseconds. */
export async function scrollFrames(
  page: Page,
  { count, pixels }: { readonly count: number; readonly pixels: number },
): Promise<readonly number[]> {
  const frames: unknown = await page.evaluate(`new Promise((resolve) => {
    const frames = [];
    let last = performance.now();
    const step = () => {
      const now = performance.now();
      frames.push(now - last);
      last = now;
      window.scrollBy(0, ${String(pixels)});
      if (frames.length < ${String(count)}) requestAnimationFrame(step);
      else resolve(frames);
    };
    requestAnimationFrame(step);
  })`);
  return Array.isArray(frames) ? frames.map(Number) : [];
}

/** Resolves to the time at which a page shows a text, in milliseconds since 1970. */
export async function shownAt(page: Page, text: string): Promise<number> {
  const wanted = JSON.stringify(text);
  return Number(
    await page.evaluate(`new Promise((resolve) => {
      const look = () => document.body.innerText.includes(${wanted}) && resolve(Date.now());
      new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true });
      look();
    })`),
  );
}

/** The time between two keys, in milliseconds: that of a fast typist. */
const keyDelayMs = 40;
const line = "the quick brown fox jumps over the lazy dog ";

/** Types into the terminal of a page; resolves to the times from each key to its character on the screen. */
export async function echoTimes(page: Page, count: number): Promise<readonly number[]> {
  await page.getByLabel("Terminal input").focus();
  await page.keyboard.type("cat > /dev/null\n");
  const times: number[] = [];
  let typed = "";
  while (times.length < count) {
    const key = line.charAt(typed.length);
    if (key === "") {
      await page.keyboard.press("Enter");
      await page.waitForTimeout(keyDelayMs);
      typed = "";
      continue;
    }
    typed += key;
    // Set up before the key is pressed, and awaited after it.
    await page.evaluate(`window.echoed = new Promise((resolve) => {
      const rows = document.querySelector(".xterm-rows");
      let at = 0;
      document.addEventListener("keydown", () => { at = performance.now(); }, { capture: true, once: true });
      const observer = new MutationObserver(() => {
        const text = rows.textContent.replaceAll("\\u00a0", " ").trimEnd();
        if (at === 0 || !text.endsWith(${JSON.stringify(typed.trimEnd())})) return;
        observer.disconnect();
        resolve(performance.now() - at);
      });
      observer.observe(rows, { childList: true, characterData: true, subtree: true });
    }); undefined`);
    await page.keyboard.press(key === " " ? "Space" : key);
    // A space changes nothing that is looked for.
    const time = Number(await page.evaluate("window.echoed"));
    if (key !== " ") times.push(time);
    await page.waitForTimeout(keyDelayMs);
  }
  await page.keyboard.press("Control+c");
  return times;
}

/** Types into an empty page; resolves to the times from each key to its character on the screen, with the next frame. */
export async function frameTimes(page: Page, count: number): Promise<readonly number[]> {
  await page.setContent("");
  const times: number[] = [];
  while (times.length < count) {
    await page.evaluate(`window.shown = new Promise((resolve) => {
      document.addEventListener("keydown", () => {
        const at = performance.now();
        requestAnimationFrame(() => {
          document.body.textContent = "x";
          resolve(performance.now() - at);
        });
      }, { capture: true, once: true });
    }); undefined`);
    await page.keyboard.press("x");
    times.push(Number(await page.evaluate("window.shown")));
    await page.waitForTimeout(keyDelayMs);
  }
  return times;
}

/** The addresses of the sockets that the pages of a context have open. */
export function countSockets(context: BrowserContext): ReadonlySet<{ readonly url: string }> {
  const open = new Set<{ readonly url: string }>();
  context.on("page", (page) =>
    page.on("websocket", (socket) => {
      const one = { url: socket.url() };
      open.add(one);
      socket.on("close", () => open.delete(one));
    }),
  );
  return open;
}
