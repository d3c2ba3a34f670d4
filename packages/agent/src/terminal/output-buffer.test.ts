import { expect, it } from "vitest";

import { OutputBuffer } from "./output-buffer.ts";

/** Reads a text as if from the system. */
function read(buffer: OutputBuffer, text: string): void {
  buffer.add(buffer.room().write(text));
}

it("gives out together what was read, and uses its room again", () => {
  const buffer = new OutputBuffer();
  read(buffer, "one");
  read(buffer, "two");
  const taken = buffer.take();
  expect(taken.toString()).toBe("onetwo");
  read(buffer, "three");
  expect(taken.toString()).toBe("threeo");
  expect(buffer.take().toString()).toBe("three");
  expect(buffer.take().length).toBe(0);
});

it("writes behind what was taken after the room for the next read was given", () => {
  const buffer = new OutputBuffer();
  read(buffer, "one");
  const room = buffer.room();
  expect(buffer.take().toString()).toBe("one");
  buffer.add(room.write("two"));
  expect(buffer.take().toString()).toBe("two");
});

it("does not write over what is kept", () => {
  const buffer = new OutputBuffer();
  const kept: { readonly bytes: Buffer; readonly text: string }[] = [];
  for (let piece = 0; piece < 100; piece += 1) {
    const text = `${piece};`.repeat(1000);
    read(buffer, text);
    const bytes = buffer.take();
    expect(bytes.toString()).toBe(text);
    if (piece % 3 > 0) continue;
    buffer.keep();
    kept.push({ bytes, text });
  }
  for (const { bytes, text } of kept) expect(bytes.toString()).toBe(text);
});

it("gives out all that was read before anybody took it, however much", () => {
  const buffer = new OutputBuffer();
  const texts = Array.from({ length: 30 }, (_, piece) => `${piece};`.repeat(4000));
  for (const text of texts) read(buffer, text);
  expect(buffer.take().toString()).toBe(texts.join(""));
});
