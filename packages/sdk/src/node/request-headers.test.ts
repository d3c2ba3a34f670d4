import { expect, it } from "vitest";

import { parseHeaders, runHeaderCommand, splitHeaders } from "./request-headers.ts";

it("reads lists with commas, and with line ends where values hold commas", () => {
  expect(parseHeaders(splitHeaders("X-One=1, X-Two = a=b ,"), "x")).toEqual({
    "X-One": "1",
    "X-Two": "a=b",
  });
  expect(parseHeaders(splitHeaders("X-One=1,2\nX-Two="), "x")).toEqual({
    "X-One": "1,2",
    "X-Two": "",
  });
});

it.each([
  "secret",
  "=secret",
  "X One=secret",
  "X:=secret",
  "X=a\r\nY: secret",
  "X=secret\0",
  "X=sec\u2028ret",
])("refuses %j, and does not repeat it", (item) => {
  expect(() => parseHeaders(["X=1", item], "the list")).toThrow(
    /^item 2 of the list is not key=value$/,
  );
});

it("runs a command with the server's address, and reads its lines", async () => {
  const environment = { PATH: process.env["PATH"], NAME: "X-Url" };
  const options = { serverUrl: "http://server", environment };
  const command = 'printf "%s=%s\\r\\n\\nX-Two=2\\n" "$NAME" "$CODER_URL"';
  expect(await runHeaderCommand(command, options)).toEqual({
    "X-Url": "http://server",
    "X-Two": "2",
  });
});

it("ends a command with its signal", async () => {
  const leaving = new AbortController();
  const { signal } = leaving;
  const running = runHeaderCommand("sleep 60", { serverUrl: "http://x", environment: {}, signal });
  leaving.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
});

it("refuses the output of a command that has no end", async () => {
  const options = { serverUrl: "http://x", environment: { PATH: process.env["PATH"] } };
  await expect(runHeaderCommand("yes X=1", options)).rejects.toThrow("the header command failed");
});
