/** The question of Git: the user's name or their password for a repository. */
export interface GitPrompt {
  readonly wants: "username" | "password";
  /** The address of the repository's host, without a user. */
  readonly url: string;
  /** True if the address names a user, so that Git asks for the password only. */
  readonly hasUser: boolean;
}

const form = /^(Username|Password) for '([^']*)'/;

/** Reads Git's question (docs/protocol/agent.md §9.1); undefined if it is another one. */
export function readGitPrompt(text: string): GitPrompt | undefined {
  const [, word, address = ""] = form.exec(text) ?? [];
  const url = URL.parse(address);
  if (word === undefined || url === null) return undefined;
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  const hasUser = url.username !== "";
  url.username = "";
  url.password = "";
  const isBare = url.pathname === "/" && !address.endsWith("/");
  const clean = url.toString();
  return {
    wants: word === "Username" ? "username" : "password",
    url: isBare ? clean.slice(0, -1) : clean,
    hasUser,
  };
}
