import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import type { Client } from "ssh2";
import { describe, expect, it } from "vitest";

import { openSocketPair } from "./local-peers.ts";
import { type AlgorithmLists, readAlgorithms } from "./server-algorithms.ts";
import { execute, type CurrentSubject } from "./subject.ts";

/** Algorithms that every current client of a family (OpenSSH, Go, libssh2, Java) can agree on. */
const wanted = {
  kex: ["curve25519-sha256", "ecdh-sha2-nistp256", "diffie-hellman-group14-sha256"],
  hostKey: ["ssh-ed25519"],
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"],
  mac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"],
  compression: ["none"],
} as const;

/** Algorithms that are broken, or with which a client's few bytes cost the server much time or memory. */
const unwanted = {
  kex: /-sha1$|group-exchange|group1[5-8]/,
  hostKey: /^ssh-(?:rsa|dss)$/,
  cipher: /cbc|arcfour|3des|blowfish|^none$/,
  mac: /md5|sha1-96|^none$/,
  compression: /zlib/,
} as const;

const listNames = ["kex", "hostKey", "cipher", "mac", "compression"] as const;

/** The transport (RFC 4253) with OpenSSH's extensions. */
export function describeTransport(subject: CurrentSubject): void {
  async function offered(software = "compliance"): Promise<AlgorithmLists> {
    const [ours, theirs] = await openSocketPair();
    subject().serve(theirs);
    return readAlgorithms(ours, software);
  }

  describe("the algorithms of a server", () => {
    it("include those that clients have in common", async () => {
      const lists = await offered();
      for (const name of listNames) {
        expect(lists[name]).toEqual(expect.arrayContaining([...wanted[name]]));
      }
    });

    it("include none that is broken or costs the server much", async () => {
      const lists = await offered();
      for (const name of listNames) {
        expect(lists[name].filter((algorithm) => unwanted[name].test(algorithm))).toEqual([]);
      }
    });

    it("count the packets of an exchange of keys, so that nobody can drop one", async () => {
      expect((await offered()).kex).toContain("kex-strict-s-v00@openssh.com");
    });

    it.each([
      ["aes128-gcm@openssh.com", ""],
      ["aes256-gcm@openssh.com", ""],
      ["aes128-ctr", "hmac-sha2-256"],
      ["aes256-ctr", "hmac-sha2-512"],
      ["aes256-ctr", "hmac-sha2-256-etm@openssh.com"],
    ] as const)("carry 5 MB both ways by %s %s", async (cipher, mac) => {
      const hmac = mac === "" ? {} : { hmac: [mac] };
      const client = await subject().connect({ algorithms: { cipher: [cipher], ...hmac } });
      expect(await echo(client, 5_000_000)).toBe(true);
    });
  });

  describe("an exchange of keys", () => {
    it("may come again and again, while output and input flow", async () => {
      const input = randomBytes(6_000_000).toString("base64");
      const { stdout, stderr } = await subject().ssh(["-v", "-oRekeyLimit=1M", "cat"], input);
      expect(stdout === input).toBe(true);
      expect(
        stderr.match(/rekeying in progress|SSH2_MSG_NEWKEYS received/g)?.length,
      ).toBeGreaterThan(8);
    });
  });

  describe("a connection", () => {
    it("has an answer to each question whether the server is there", async () => {
      let answers = 0;
      await subject().connect({
        keepaliveInterval: 50,
        keepaliveCountMax: 1000,
        debug: (line) => {
          if (/^Inbound: (?:Received )?REQUEST_(?:FAILURE|SUCCESS)/.test(line)) answers += 1;
        },
      });
      await expect.poll(() => answers).toBeGreaterThan(3);
    });

    it("ends for a client that sends no SSH", async () => {
      const [ours, theirs] = await openSocketPair();
      subject().serve(theirs);
      ours.end("GET / HTTP/1.1\r\n\r\n");
      ours.resume();
      await once(ours, "close");
    });
  });
}

/** Sends random bytes through a command; returns whether they came back unchanged. */
async function echo(client: Client, bytes: number): Promise<boolean> {
  const sent = randomBytes(bytes).toString("latin1");
  const channel = await execute(client, "cat");
  channel.setEncoding("latin1");
  channel.end(sent, "latin1");
  return (await text(channel)) === sent;
}
