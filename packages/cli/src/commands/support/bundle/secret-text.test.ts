import { expect, it } from "vitest";

import { hideInWords, secretHider, suspectedSecrets } from "./secret-text.ts";

const hide = secretHider([]);

it.each([
  ["https://ada:pa55w0rd@example.com/x", "https://[removed]@example.com/x"],
  ["postgres://slipway:hunter2@127.0.0.1:5432/db", "postgres://[removed]@127.0.0.1:5432/db"],
  ["Authorization: Bearer abcdef.ghi-jkl", "Authorization: Bearer [removed]"],
  ["Proxy-Authorization: Digest username=a, b", "Proxy-Authorization: Digest [removed]"],
  ["curl -H 'Authorization: token hunter2' x", "curl -H 'Authorization: token [removed]' x"],
  ["Cookie: a=hunter2; b=hunter3", "Cookie: [removed]"],
  ["Set-Cookie: sid=hunter2; Path=/", "Set-Cookie: [removed]"],
  ['{"auths":{"r.io":{"auth":"hunter2"}}}', '{"auths":{"r.io":{"auth":"[removed]"}}}'],
  ["login --password hunter2 --verbose", "login --password [removed] --verbose"],
  ["curl -u ada:hunter2 https://x", "curl -u ada:[removed] https://x"],
  ["ENCRYPTION_KEY=hunter2 make", "ENCRYPTION_KEY=[removed] make"],
  ['{"password": "hunter2", "a": 1}', '{"password": "[removed]", "a": 1}'],
  ['"password": "two words", more', '"password": "[removed]", more'],
  ["PASSWORD='two \"words' more", "PASSWORD='[removed]' more"],
  ["GITHUB_TOKEN=hunter2 make", "GITHUB_TOKEN=[removed] make"],
  ["url?api_key=hunter2&page=2", "url?api_key=[removed]&page=2"],
  ["it is ABCDEFGHIJ-abcdefghijklmnopqrstuv.", "it is [removed]."],
  ["cloned with ghp_abcdefghijklmnop1234", "cloned with [removed]"],
  ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[removed]"],
  ["a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b", "a [removed] b"],
  ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\ncut off", "[removed]"],
])("removes a secret from %j", (text, shown) => {
  expect(hide(text)).toBe(shown);
});

it.each([
  "build 3 started at 2026-01-01T00:00:00Z",
  "cannot connect to https://example.com/a@b: refused",
  "/home/ada/projects/some-long-directory-name/with-another-one",
  "docker run -u 1000:1000 image --password-stdin --token --verbose",
  "11111111-1111-4111-8111-111111111111",
])("leaves %j as it is", (text) => {
  expect(hide(text)).toBe(text);
});

it("removes UUIDs, which agents' tokens are, and long random words from the words of a program", () => {
  const text = "token 11111111-1111-4111-8111-111111111111, key 0123456789abcdef0123456789abcdef";
  expect(hideInWords(hide)(text)).toBe("token [removed], key [removed]");
});

it("removes known secrets in any spelling, the longest first", () => {
  const known = secretHider(["open sesame", "open sesame!", "a", ""]);
  expect(known("say open sesame! or open%20sesame a")).toBe("say [removed] or [removed] a");
});

it("removes each line of a known secret, as a log has them apart", () => {
  const known = secretHider(["first line\nsecond line"]);
  expect(known("10:00 first line\n10:01 second line")).toBe("10:00 [removed]\n10:01 [removed]");
});

it("takes a value that is no well-formed text", () => {
  expect(secretHider(["\ud800-value"])("a \ud800-value b")).toBe("a [removed] b");
});

it("leaves values that are no secret, whatever their name", () => {
  const known = secretHider(["true", "false", "none", "null"]);
  expect(known("true, false, none, null")).toBe("true, false, none, null");
});

it("knows variables by names that suggest a secret", () => {
  const values = ["DB_PASSWORD", "githubToken", "SIGNING_KEY", "EDITOR", "GIT_AUTHOR_NAME"].map(
    (name) => ({
      name,
      value: name.toLowerCase(),
    }),
  );
  expect(suspectedSecrets(values)).toEqual(["db_password", "githubtoken", "signing_key"]);
});
