import { type Answered, ask, CookieJar } from "./app-world.ts";

interface Site {
  readonly url: string;
}

/** The browser of a logged-in user, during the login to a provider. */
export class ProviderBrowser {
  readonly #site: Site;
  readonly #jar = new CookieJar();

  constructor(site: Site, client: { readonly headers: Readonly<Record<string, string>> }) {
    this.#site = site;
    const token = client.headers["Coder-Session-Token"] ?? "";
    const headers = { "set-cookie": [`coder_session_token=${token}`] };
    this.#jar.note(site.url, { status: 200, headers, text: "" });
  }

  get cookies(): string {
    return this.#jar.of(this.#site.url);
  }

  /** Requests a path of the server, and stores its cookies. */
  async ask(path: string, method = "GET", body = ""): Promise<Answered> {
    const headers = { Cookie: this.cookies, Origin: this.#site.url };
    return this.#jar.note(
      this.#site.url,
      await ask(this.#site.url, path, { method, headers, body }),
    );
  }

  /** Resolves to the nonce of the forms that the page of a provider shows. */
  async nonceOf(provider: string): Promise<string> {
    const { text } = await this.ask(`/external-auth/${provider}`);
    return /name="nonce" value="([^"]*)"/.exec(text)?.[1] ?? "";
  }

  /** Starts a login; resolves to the provider's address to which the browser is redirected. */
  async begin(provider: string, query = ""): Promise<string> {
    const path = `/external-auth/${provider}${query}`;
    const { headers } = await this.ask(path, "POST", `nonce=${await this.nonceOf(provider)}`);
    return String(headers["refresh"]).replace(/^0; url=/, "");
  }

  /** Opens the provider's page, which redirects the browser back; resolves to the path with the code. */
  async visit(address: string): Promise<string> {
    const response = await fetch(address, { redirect: "manual" });
    await response.body?.cancel();
    const { pathname, search } = new URL(response.headers.get("location") ?? "", this.#site.url);
    return `${pathname}${search}`;
  }

  /** Logs in; resolves to the response to the callback. */
  async logIn(provider: string, query = ""): Promise<Answered> {
    return this.ask(await this.visit(await this.begin(provider, query)));
  }
}
