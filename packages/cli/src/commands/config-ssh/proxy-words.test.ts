import { expect, it } from "vitest";

import { proxyWords } from "./proxy-words.ts";

const options = {
  binaryPath: "/opt/coder",
  forceUnixFilepaths: false,
  wait: "auto",
  disableAutostart: false,
} as const;

it("names the files of certificates by paths that hold in every directory", async () => {
  const certificates = {
    cert: { path: "own.pem", setting: "--client-tls-cert-file" },
    key: { path: "/keys/own.key", setting: "CODER_CLIENT_TLS_KEY_FILE" },
    ca: undefined,
  };
  const files = { session: "/home/ada/.config/slipway", headerScript: undefined, certificates };
  expect(await proxyWords(options, files, {})).toEqual([
    "/opt/coder",
    "--global-config",
    "/home/ada/.config/slipway",
    "--client-tls-cert-file",
    `${process.cwd()}/own.pem`,
    "--client-tls-key-file",
    "/keys/own.key",
    "ssh",
    "--stdio",
  ]);
});

it("quotes the header script for the shell that runs it", async () => {
  const headerScript = "/home/ada's/headers";
  const certificates = { cert: undefined, key: undefined, ca: undefined };
  const words = await proxyWords(options, { session: "/s", headerScript, certificates }, {});
  expect(words).toContain(String.raw`sh '/home/ada'\''s/headers'`);
});
