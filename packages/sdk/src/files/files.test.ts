import { expect, it } from "vitest";

import { ApiClient, type ClientRequest, type ClientResponse } from "../http/client.ts";
import { FileChangedError } from "./errors.ts";
import { Files } from "./files.ts";

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** True if the connection is lost after the body. */
  readonly isLost?: boolean;
}

type Answer = (url: URL, request: ClientRequest, attempt: number) => Reply;

/** Returns the files of an agent whose server answers like this, and the queries that it got. */
function openFiles(answer: Answer): { readonly files: Files; readonly queries: string[] } {
  const queries: string[] = [];
  const fetch = async (text: string, request: ClientRequest): Promise<ClientResponse> => {
    const url = new URL(text);
    queries.push(`${url.pathname.split("/").at(-1)}${url.search}`);
    const { status = 200, headers = {}, body = "", isLost } = answer(url, request, queries.length);
    const bytes = new TextEncoder().encode(body);
    return {
      ok: status < 300,
      status,
      statusText: "",
      headers: { get: (name) => headers[name] ?? null },
      text: async () => body,
      arrayBuffer: async () => bytes.buffer,
      body: (async function* chunks() {
        yield bytes;
        if (isLost === true) throw new Error("socket hang up");
      })(),
    };
  };
  const client = new ApiClient({ serverUrl: "http://server.test", fetch });
  return { files: new Files(client, "agent-1"), queries };
}

it("continues a content where it broke off, of the same file", async () => {
  const conditions: unknown[] = [];
  const { files, queries } = openFiles((_url, { headers }, attempt) => {
    conditions.push(headers["If-Match"]);
    if (attempt === 1) {
      return { headers: { etag: '"e"', "content-length": "10" }, body: "01234", isLost: true };
    }
    if (attempt === 2) return { status: 503, body: "{}" };
    return { headers: { etag: '"e"', "content-length": "5" }, body: "56789" };
  });
  expect(await files.readText("/a")).toBe("0123456789");
  expect(queries).toEqual([
    "content?path=%2Fa",
    "content?path=%2Fa&offset=5&limit=5",
    "content?path=%2Fa&offset=5&limit=5",
  ]);
  expect(conditions).toEqual([undefined, '"e"', '"e"']);
});

it("does not join the parts of different files", async () => {
  const { files } = openFiles((_url, _request, attempt) =>
    attempt === 1
      ? { headers: { etag: '"e"', "content-length": "10" }, body: "01234", isLost: true }
      : { status: 412, body: '{"message":"The file has changed."}' },
  );
  await expect(files.readText("/a")).rejects.toThrow(FileChangedError);
});

it("does not continue a file without a size", async () => {
  const { files, queries } = openFiles(() => ({ body: "part", isLost: true }));
  await expect(files.readText("/proc/x")).rejects.toMatchObject({ code: "connect-error" });
  expect(queries).toHaveLength(1);
});

it("reads no more than the limit", async () => {
  const { files } = openFiles(() => ({ headers: { "content-length": "10" }, body: "0123456789" }));
  await expect(files.read("/a", { maxBytes: 9 })).rejects.toThrow(RangeError);
  const unsized = openFiles(() => ({ body: "0123456789" }));
  await expect(unsized.files.read("/a", { maxBytes: 9 })).rejects.toThrow(RangeError);
});

it("lists all pages", async () => {
  const entry = (name: string) => ({ name });
  const { files, queries } = openFiles((url) => ({
    body: JSON.stringify(
      url.searchParams.get("after") === null
        ? { entries: [entry("a"), entry("b")], next: "Yg" }
        : { entries: [entry("c")] },
    ),
  }));
  const names: string[] = [];
  for await (const { name } of files.list("/x")) names.push(name);
  expect(names).toEqual(["a", "b", "c"]);
  expect(queries).toEqual(["files?path=%2Fx", "files?path=%2Fx&after=Yg"]);
});

it("writes under a condition", async () => {
  let sent: ClientRequest | undefined;
  const { files, queries } = openFiles((_url, request) => {
    sent = request;
    return { status: 412, body: '{"message":"x exists"}' };
  });
  const writing = files.write("/x", "text", { mode: 0o600, parents: true, ifAbsent: true });
  await expect(writing).rejects.toMatchObject({ code: "file-changed", path: "/x" });
  expect(queries).toEqual(["content?path=%2Fx&mode=600&parents=true"]);
  expect(sent?.headers).toMatchObject({ "If-None-Match": "*" });
});

it("tells whether a file exists", async () => {
  const { files } = openFiles((url) =>
    url.searchParams.get("path") === "/a" ? { body: "{}" } : { status: 404, body: "{}" },
  );
  expect([await files.exists("/a"), await files.exists("/b")]).toEqual([true, false]);
});
