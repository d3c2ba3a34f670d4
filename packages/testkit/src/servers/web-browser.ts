/** A page that a browser shows. */
export interface ShownPage {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

const maxRedirects = 20;

/** A browser without scripts: it keeps cookies by origin, follows redirects, and sends the forms of pages. */
export class WebBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();
  /** The addresses that it opened, in order. */
  readonly visited: string[] = [];

  /** Opens an address and follows redirects, up to one that `stopsAt` names, which is not opened. */
  async open(address: string, stopsAt: (url: URL) => boolean = () => false): Promise<ShownPage> {
    return this.#follow(new URL(address), {}, stopsAt);
  }

  /** Sends the first form of a page, with its hidden fields and these. */
  async submit(
    page: ShownPage,
    fields: Readonly<Record<string, string>>,
    stopsAt: (url: URL) => boolean = () => false,
  ): Promise<ShownPage> {
    const form = /<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/s.exec(page.text);
    if (form === null) throw new Error(`${page.url} has no form: ${page.text.slice(0, 500)}`);
    const hidden = [
      ...(form[2] ?? "").matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g),
    ].map(([, name = "", value = ""]) => [name, unescapeHtml(value)] as const);
    const body = new URLSearchParams({ ...Object.fromEntries(hidden), ...fields }).toString();
    const url = new URL(unescapeHtml(form[1] ?? ""), page.url);
    return this.#follow(url, { method: "POST", body }, stopsAt);
  }

  /** Returns the value of a cookie of an origin; undefined if there is none. */
  cookie(origin: string, name: string): string | undefined {
    return this.#cookies.get(origin)?.get(name);
  }

  setCookie(origin: string, name: string, value: string): void {
    const cookies = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, cookies.set(name, value));
  }

  async #follow(
    first: URL,
    init: { readonly method?: string; readonly body?: string },
    stopsAt: (url: URL) => boolean,
  ): Promise<ShownPage> {
    let url = first;
    let sent = init;
    for (let count = 0; count < maxRedirects; count += 1) {
      this.visited.push(url.href);
      const response = await fetch(url, {
        ...sent,
        redirect: "manual",
        headers: {
          Cookie: [...(this.#cookies.get(url.origin) ?? [])]
            .map((pair) => pair.join("="))
            .join("; "),
          Accept: "text/html",
          "User-Agent": "Mozilla/5.0 (test)",
          ...(sent.method === "POST"
            ? { Origin: url.origin, "Content-Type": "application/x-www-form-urlencoded" }
            : {}),
        },
      });
      this.#note(url.origin, response.headers.getSetCookie());
      const text = await response.text();
      const location = response.headers.get("location") ?? refreshOf(response.headers);
      if (location === undefined) return { url: url.href, status: response.status, text };
      url = new URL(location, url);
      sent = {};
      if (stopsAt(url)) return { url: url.href, status: response.status, text };
    }
    throw new Error(`more than ${maxRedirects} redirects from ${first.href}`);
  }

  #note(origin: string, set: readonly string[]): void {
    for (const cookie of set) {
      const [pair = ""] = cookie.split(";");
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      if (value === "") this.#cookies.get(origin)?.delete(name);
      else this.setCookie(origin, name, value);
    }
  }
}

function refreshOf(headers: Headers): string | undefined {
  return /^0; url=(.*)$/.exec(headers.get("refresh") ?? "")?.[1];
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
