import { expect } from "vitest";

import type { OpenServer } from "./open-server.ts";
import { testPassword } from "./people.ts";
import { countRows, countSettledRows } from "./table-counts.ts";

const tokenHeader = "Coder-Session-Token";

/** The body of a request that would create a user. */
export const newcomer = {
  email: "new@example.com",
  username: "newcomer",
  password: testPassword,
};

export interface RawRequest {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends a request to the API of a server as its administrator, unless the headers have another token. */
export async function send(
  server: OpenServer,
  method: string,
  path: string,
  { body, headers }: RawRequest = {},
): Promise<RawAnswer> {
  const hasToken = headers !== undefined && tokenHeader in headers;
  const response = await fetch(`${server.url}/api/v2${path}`, {
    method,
    headers: hasToken ? headers : { ...server.admin.headers, ...headers },
    body: body ?? null,
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** Runs an action and checks that every table of the server keeps its number of rows. */
export async function expectUnchanged<T>(server: OpenServer, action: () => Promise<T>): Promise<T> {
  const before = await countSettledRows(server.db);
  const result = await action();
  expect(await countRows(server.db)).toEqual(before);
  return result;
}
