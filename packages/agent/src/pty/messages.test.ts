import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { TerminalError } from "./errors.ts";
import { maxMessageBytes, type TerminalInput, TerminalMessages } from "./messages.ts";

const id = "0f8fad5b-d9cb-469f-a165-70867728950e";

function encodeInit(init: object): Buffer {
  const json = Buffer.from(JSON.stringify(init));
  const length = Buffer.alloc(2);
  length.writeUInt16LE(json.length);
  return Buffer.concat([length, json]);
}

const worked = Buffer.concat([
  encodeInit({ ID: id, Height: 24, Width: 80, Command: "", Container: "", BackendType: "" }),
  Buffer.from('{"data":"ls\\r"}{"height":40,"width":120}\n {"data":"a}\\"{é"}'),
]);
const plain = { size: undefined, number: undefined, received: undefined, isBye: false };
const inputs: readonly TerminalInput[] = [
  { ...plain, data: "ls\r" },
  { ...plain, data: "", size: { columns: 120, rows: 40 } },
  { ...plain, data: 'a}"{é' },
];

describe("TerminalMessages", () => {
  it("reads the first message and those after it, however they are cut", () => {
    for (let cut = 0; cut <= worked.length; cut += 1) {
      const messages = new TerminalMessages();
      const found = [worked.subarray(0, cut), worked.subarray(cut)].flatMap((piece) =>
        messages.receive(piece),
      );
      expect(messages.init).toEqual({
        id,
        size: { columns: 80, rows: 24 },
        command: "",
        container: undefined,
        viewer: undefined,
      });
      expect(found).toEqual(inputs);
    }
  });

  it("takes names in any case", () => {
    const messages = new TerminalMessages();
    messages.receive(encodeInit({ id: id.toUpperCase(), COMMAND: "top" }));
    expect(messages.init).toMatchObject({ id, command: "top", size: undefined });
  });

  it("reads the place of a viewer that resumes, and what such a viewer says", () => {
    const messages = new TerminalMessages();
    const said = '{"data":"a","number":7}{"received":4096}{"bye":true}';
    const init = encodeInit({ ID: id, Viewer: id.toUpperCase(), Received: 12 });
    const found = messages.receive(Buffer.concat([init, Buffer.from(said)]));
    expect(messages.init?.viewer).toEqual({ id, received: 12 });
    expect(found).toEqual([
      { ...plain, data: "a", number: 7 },
      { ...plain, data: "", received: 4096 },
      { ...plain, data: "", isBye: true },
    ]);
  });

  it.each([
    [{ ID: id, Viewer: "x" }, "not a UUID"],
    [{ ID: id, Viewer: id, Received: -1 }, "received is not a count"],
    [{ ID: id, Viewer: id, Received: 2 ** 53 }, "received is not a count"],
    [{ ID: "x" }, "not a UUID"],
    [{}, "not a UUID"],
    [{ ID: id, Command: 1 }, "command is not a text"],
    [{ ID: id, Width: "80" }, "a size is not a number"],
    [[], "not a JSON object"],
  ])("refuses the first message %j", (init, message) => {
    expect(() => new TerminalMessages().receive(encodeInit(init))).toThrow(message);
  });

  it("refuses a message longer than the limit, and what is no object", () => {
    const begun = (): TerminalMessages => {
      const messages = new TerminalMessages();
      messages.receive(encodeInit({ ID: id }));
      return messages;
    };
    const long = Buffer.concat([Buffer.from('{"data":"'), Buffer.alloc(maxMessageBytes, "x")]);
    expect(() => begun().receive(long)).toThrow("wanted at most");
    expect(() => begun().receive(Buffer.from("1"))).toThrow("not a JSON object");
  });

  it("throws only its own error for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          new TerminalMessages().receive(Buffer.from(bytes));
        } catch (error) {
          if (!(error instanceof TerminalError)) throw error;
        }
      }),
    );
  });
});
