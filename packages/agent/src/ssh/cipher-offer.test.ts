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
