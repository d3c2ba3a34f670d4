import { once } from "node:events";

import ssh2 from "ssh2";
import { expect, it, onTestFinished } from "vitest";

import { openSshWorkspace } from "../../tests/support/ssh-workspace.ts";

it("agrees on AES-GCM with OpenSSH's client, although that prefers others", async () => {
  const { ssh } = await openSshWorkspace();
  const { stdout, stderr } = await ssh(["-v", "echo done"]);
  expect(stdout).toBe("done\n");
  expect(stderr).toContain("server->client cipher: aes128-gcm@openssh.com");
  expect(stderr).toContain("client->server cipher: aes128-gcm@openssh.com");
});

it("offers everything once a client of OpenSSH is configured without AES-GCM", async () => {
  const { ssh } = await openSshWorkspace();
  const refused = await ssh(["-oCiphers=aes256-ctr", "echo done"]);
  expect(refused).toMatchObject({ stdout: "", exitCode: 255 });
  expect((await ssh(["-oCiphers=aes256-ctr", "echo done"])).stdout).toBe("done\n");
});

/** The default orders of OpenSSH 9.9 and 10.0. */
const olderOrder = ["chacha20-poly1305@openssh.com", "aes128-ctr", "aes128-gcm@openssh.com"];
const newerOrder = ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes128-ctr"];

it.each<[string, string[], string]>([
  ["OpenSSH_9.9", olderOrder, "aes128-gcm@openssh.com"],
  ["OpenSSH_10.0p2 Debian-7", newerOrder, "aes128-gcm@openssh.com"],
  ["OpenSSH_10.0p2 Debian-7", ["aes256-ctr"], "aes256-ctr"],
  ["OpenSSH_11.1", ["aes192-ctr", "aes128-ctr"], "aes192-ctr"],
  ["Other_1.0", ["aes128-ctr", "aes128-gcm@openssh.com"], "aes128-ctr"],
])("agrees with %s, which takes %j, on %s at its first attempt", async (ident, taken, cipher) => {
  const { port } = await openSshWorkspace();
  const client = new ssh2.Client();
  onTestFinished(() => void client.end());
  const agreed = once(client, "handshake");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- names of ciphers
  const algorithms = { cipher: taken as ssh2.CipherAlgorithm[] };
  client.connect({ host: "127.0.0.1", port, username: "u", ident, algorithms });
  expect((await agreed)[0]).toMatchObject({ cs: { cipher }, sc: { cipher } });
});

it("offers other clients everything, in the order of their speed", async () => {
  const { port } = await openSshWorkspace();
  const client = new ssh2.Client();
  onTestFinished(() => void client.end());
  const agreed = once(client, "handshake");
  client.connect({
    host: "127.0.0.1",
    port,
    username: "u",
    algorithms: { cipher: ["aes192-ctr"] },
  });
  expect((await agreed)[0]).toMatchObject({ cs: { cipher: "aes192-ctr" } });
});
