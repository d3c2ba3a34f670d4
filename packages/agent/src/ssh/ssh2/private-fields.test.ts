import { once } from "node:events";
import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { openSocketPair } from "@slipway/testkit/compliance";
import ssh2, { type Connection, type ServerChannel, type Session } from "ssh2";
import { expect, it, onTestFinished } from "vitest";

import { deriveHostKey } from "../host-key.ts";
import { privateFields } from "./private-fields.ts";
import { createSshServer } from "./ssh2.ts";

const sources = fileURLToPath(new URL("../..", import.meta.url));

/** The files outside the adapter, except for tests, which reach into clients. */
async function otherSources(): Promise<readonly (readonly [file: string, text: string])[]> {
  const found: (readonly [string, string])[] = [];
  for await (const file of glob("**/*.ts", { cwd: sources })) {
    if (file.endsWith(".test.ts") || file.startsWith("ssh/ssh2/")) continue;
    found.push([file, readFileSync(join(sources, file), "utf8")]);
  }
  return found;
}

/** Connects a client of the library to a server of the library, and returns the objects of a session with a command. */
async function openLibrary(): Promise<Readonly<Record<keyof typeof privateFields, object>>> {
  const names = { ownerName: "alice", workspaceName: "dev", agentName: "main" };
  const server = createSshServer({
    hostKeys: [deriveHostKey(names)],
    algorithms: { cipher: ["aes128-gcm@openssh.com"] },
  });
  const [ours, theirs] = await openSocketPair();
  const client = new ssh2.Client();
  onTestFinished(() => void client.destroy());
  const opened = new Promise<{
    readonly connection: Connection;
    readonly session: Session;
    readonly channel: ServerChannel;
  }>((resolve) => {
    server.on("connection", (connection) => {
      // The client ends it when the test does.
      connection.on("error", () => undefined);
      connection.on("authentication", (context) => context.accept());
      connection.on("session", (accept) => {
        const session = accept();
        session.on("exec", (start) => resolve({ connection, session, channel: start() }));
      });
    });
  });
  server.injectSocket(theirs);
  client.connect({ sock: ours, username: "anybody" });
  await once(client, "ready");
  client.exec("true", () => undefined);
  const { connection, session, channel } = await opened;
  const inside = (owner: object, name: string): object => Object(Reflect.get(owner, name));
  const protocol = inside(connection, "_protocol");
  return {
    connection,
    protocol,
    channelTable: inside(connection, "_chanMgr"),
    session,
    channel,
    offer: inside(protocol, "_offer"),
    cipher: inside(protocol, "_cipher"),
    decipher: inside(protocol, "_decipher"),
  };
}

it("lists 32 fields, all of which the pinned version of the library has", async () => {
  const owners = await openLibrary();
  const listed = Object.entries(privateFields).flatMap(([owner, names]) =>
    names.map((name) => ({ owner, name })),
  );
  const isThere = new Map(Object.entries(owners));
  expect(listed.filter(({ owner, name }) => !(name in (isThere.get(owner) ?? {})))).toEqual([]);
  expect(listed).toHaveLength(32);
});

it("leaves the other folders the documented types of the library", async () => {
  const names = Object.values(privateFields).flat();
  const underscored = names.filter((name) => name.startsWith("_")).join("|");
  const forbidden = new RegExp(
    [
      `["'.](${underscored}|openssh_authAgent)\\b`,
      String.raw`^import (?!type\b)[^;]*from "ssh2`,
      String.raw`\b(import|require)\("ssh2`,
    ].join("|"),
    "m",
  );
  const found = (await otherSources()).filter(([, text]) => forbidden.test(text));
  expect(found.map(([file]) => file)).toEqual([]);
});

it("reaches into the library in one file, by the names of the list", () => {
  const adapter = readFileSync(join(sources, "ssh/ssh2/ssh2.ts"), "utf8");
  // The rest is documented, or is nested in a field of the list.
  const reached = [...adapter.matchAll(/Reflect\.\w+\([^,]*,\s*"(\w+)"/g)].map(([, name]) => name);
  expect(reached.filter((name) => name?.startsWith("_"))).toEqual([]);
});
