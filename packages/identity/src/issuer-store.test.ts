import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { type LogFields, silentLogger } from "@slipway/runtime";
import { issue, type IssuedCertificate } from "@slipway/testkit/clouds";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { isIssuerUrl, IssuerStore, type ResolveHost } from "./issuer-store.ts";

const opened = new AsyncDisposableStack();
let port: number;
let issuer: IssuedCertificate;
let asked: string[];
/** The fields that the store logged about failed requests. */
let failures: LogFields[];
let answer: (reply: ServerResponse) => void;

beforeAll(async () => {
  issuer = await issue({ name: "Issuer", isAuthority: true });
  const server = createServer((request, reply) => {
    asked.push(request.url ?? "");
    answer(reply);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.defer(() => new Promise((resolve) => server.close(() => resolve())));
  opened.defer(() => server.closeAllConnections());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  ({ port } = server.address() as AddressInfo);
});

beforeEach(() => {
  asked = [];
  failures = [];
  answer = (reply) => reply.end(issuer.der);
});

afterAll(() => opened.disposeAsync());

/** Opens a store that resolves every host to this machine; allows all addresses by default. */
function openStore({
  isAllowedAddress = () => true,
  addresses = ["127.0.0.1"],
}: {
  readonly isAllowedAddress?: (address: string) => boolean;
  readonly addresses?: readonly string[];
} = {}): IssuerStore {
  const lookup: ResolveHost = (_, _options, callback) => {
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  };
  return new IssuerStore({
    logger: { debug: (fields) => failures.push(fields) },
    isAllowedUrl: () => true,
    isAllowedAddress,
    lookup,
    // A busy machine may take longer than a cloud may.
    timeoutMs: 60_000,
  });
}

const url = (path = "/a.crt"): string => `http://www.microsoft.com:${port}${path}`;

async function fetchNames(store: IssuerStore, urls: readonly string[]): Promise<readonly string[]> {
  return (await store.fetch(urls)).flatMap(({ commonNames }) => commonNames);
}

describe("the address of an issuer", () => {
  it.each([
    "http://www.microsoft.com/pkiops/certs/a.crt",
    "https://www.microsoft.com/a",
    "http://cacerts.digicert.com:80/a.crt",
    "https://cacerts.digicert.com:443/a.crt",
    "http://WWW.MICROSOFT.COM/",
  ])("may be %s", (text) => {
    expect(isIssuerUrl(new URL(text))).toBe(true);
  });

  it.each([
    "http://www.microsoft.com.example.com/",
    "http://example.com/www.microsoft.com",
    "http://user@www.microsoft.com/",
    "http://:secret@www.microsoft.com/",
    "http://www.microsoft.com:8080/",
    "http://www.microsoft.com./",
    "ftp://www.microsoft.com/",
    "file:///www.microsoft.com/a",
    "http://169.254.169.254/",
    "http://localhost/",
  ])("may not be %s", (text) => {
    expect(isIssuerUrl(new URL(text))).toBe(false);
  });
});

describe("the certificates of issuers", () => {
  it("are fetched from a host at its checked address, once", async () => {
    const store = openStore();
    const all = await Promise.all([fetchNames(store, [url(), url()]), fetchNames(store, [url()])]);
    expect(all).toEqual([["Issuer"], ["Issuer"]]);
    expect(await fetchNames(store, [url()])).toEqual(["Issuer"]);
    expect(asked).toEqual(["/a.crt"]);
  });

  it("are fetched from few places", async () => {
    const urls = Array.from({ length: 9 }, (_, at) => url(`/${at}`));
    expect(await fetchNames(openStore(), urls)).toHaveLength(4);
    expect(asked.toSorted()).toEqual(["/0", "/1", "/2", "/3"]);
  });

  it("are not fetched from elsewhere", async () => {
    const store = new IssuerStore({ logger: silentLogger, isAllowedAddress: () => true });
    expect(await store.fetch([`http://127.0.0.1:${port}/`, "x", "", "http://"])).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("are not fetched from a host with an address that is not public", async () => {
    const addresses = ["127.0.0.1", "127.0.0.2"];
    const isAllowedAddress = (address: string) => address !== "127.0.0.2";
    expect(await openStore({ addresses, isAllowedAddress }).fetch([url()])).toEqual([]);
    const lookup: ResolveHost = (_, _options, callback) => {
      callback(null, [{ address: "127.0.0.1", family: 4 }]);
    };
    const strict = new IssuerStore({ logger: silentLogger, isAllowedUrl: () => true, lookup });
    expect(await strict.fetch([url()])).toEqual([]);
    expect(asked).toEqual([]);
  });

  it.each<[string, (reply: ServerResponse) => void]>([
    ["an error", (reply) => reply.writeHead(404).end(issuer.der)],
    ["a way elsewhere", (reply) => reply.writeHead(302, { Location: "/" }).end()],
    ["no certificate", (reply) => reply.end("<html>")],
    ["nothing", (reply) => reply.end()],
    ["more than is read", (reply) => reply.end(Buffer.alloc(1024 * 1024 + 1))],
    ["half an answer", (reply) => reply.writeHead(200, { "Content-Length": 9 }).end("x")],
    ["the end of the connection", (reply) => reply.socket?.destroy()],
  ])("are missing when the answer is %s, and asked for again", async (_, bad) => {
    const store = openStore();
    answer = bad;
    expect(await store.fetch([url("/a"), url("/b")])).toEqual([]);
    expect(new Set(failures.map((fields) => fields["url"]))).toEqual(
      new Set([url("/a"), url("/b")]),
    );
    answer = (reply) => reply.end(issuer.der);
    expect(await fetchNames(store, [url("/a")])).toEqual(["Issuer"]);
  });

  it("are fetched from few places at a time, for everybody", async () => {
    const store = openStore();
    const held: ServerResponse[] = [];
    answer = (reply) => held.push(reply);
    const all = Array.from({ length: 6 }, (_, at) =>
      fetchNames(
        store,
        [0, 1].map((index) => url(`/${at}-${index}`)),
      ),
    );
    await expect.poll(() => held.length).toBe(8);
    for (const reply of held) reply.end(issuer.der);
    const found = await Promise.all(all);
    expect(failures).toEqual([]);
    expect(found.map((names) => names.length)).toEqual([2, 2, 2, 2, 0, 0]);
    expect(asked).toHaveLength(8);
    answer = (reply) => reply.end(issuer.der);
    expect(await fetchNames(store, [url("/5-0")])).toEqual(["Issuer"]);
  });

  it("are kept within bounds", async () => {
    const store = openStore();
    for (let at = 0; at < 70; at += 1) await store.fetch([url(`/${at}`)]);
    asked = [];
    await store.fetch([url("/69"), url("/0")]);
    expect(asked).toEqual(["/0"]);
  });
});
