interface Browser {
  readonly serverUrl: string;
  /** The token of the user's session. */
  readonly token: string;
}

/** Logs a user in to a server through a provider as a browser does; the provider asks nothing. */
export async function logInToProvider(
  { serverUrl, token }: Browser,
  provider: string,
): Promise<void> {
  const session = `coder_session_token=${token}`;
  const page = `${serverUrl}/external-auth/${provider}`;
  const shown = await (await fetch(page, { headers: { Cookie: session } })).text();
  const nonce = /name="nonce" value="([^"]*)"/.exec(shown)?.[1] ?? "";
  const body = new URLSearchParams({ nonce }).toString();
  const begun = await fetch(page, { method: "POST", headers: { Cookie: session }, body });
  await begun.body?.cancel();
  const address = (begun.headers.get("refresh") ?? "").replace(/^0; url=/, "");
  const [cookie = ""] = begun.headers.getSetCookie().map((text) => text.split(";")[0] ?? "");
  const visited = await fetch(address, { redirect: "manual" });
  await visited.body?.cancel();
  const done = await fetch(visited.headers.get("location") ?? "", {
    headers: { Cookie: `${session}; ${cookie}` },
    redirect: "manual",
  });
  if (done.status !== 303) throw new Error(`login failed: ${await done.text()}`);
}
