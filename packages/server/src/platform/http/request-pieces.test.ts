import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RequestPieces } from "./request-pieces.ts";

function takeAllPieces(chunks: readonly string[]): readonly string[] {
  const pieces = new RequestPieces();
  const taken: string[] = [];
  for (const chunk of chunks) {
    pieces.add(Buffer.from(chunk));
    while (!pieces.isEmpty) taken.push(pieces.take()?.toString() ?? "");
  }
  return taken;
}

describe("RequestPieces", () => {
  it("ends a piece with each header, however it is cut into chunks", () => {
    const requests =
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\nG";
    for (let first = 0; first <= requests.length; first += 1) {
      for (let second = first; second <= Math.min(first + 5, requests.length); second += 1) {
        const chunks = [
          requests.slice(0, first),
          requests.slice(first, second),
          requests.slice(second),
        ];
        const taken = takeAllPieces(chunks);
        expect(taken.join("")).toBe(requests);
        // The ends of headers, without the pieces in between.
        let text = "";
        const ends = taken.flatMap((piece) => {
          text += piece;
          return text.endsWith("\r\n\r\n") ? [text.length] : [];
        });
        expect(ends).toEqual([28, 47, 66]);
      }
    }
  });

  it("takes a body by its length, whatever is in it", () => {
    const pieces = new RequestPieces();
    pieces.add(Buffer.from("POST\r\n\r\n"));
    expect(String(pieces.take())).toBe("POST\r\n\r\n");
    pieces.expectBody(10);
    pieces.add(Buffer.from("ab\r\n"));
    pieces.add(Buffer.from("\r\ncdefGET\r\n\r\nrest"));
    const taken: string[] = [];
    while (!pieces.isEmpty) taken.push(String(pieces.take()));
    expect(taken).toEqual(["ab\r\n", "\r\ncdef", "GET\r\n\r\n", "rest"]);
  });

  it("never has two ends of headers in one piece, and loses nothing", () => {
    const text = fc.string({ unit: fc.constantFrom("\r", "\n", "a"), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), (chunks) => {
        const taken = takeAllPieces(chunks);
        expect(taken.join("")).toBe(chunks.join(""));
        for (const piece of taken)
          expect(piece.split("\r\n\r\n").length - 1).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("gives what was not taken to the next owner of the connection", () => {
    const pieces = new RequestPieces();
    pieces.add(Buffer.from("GET\r\n\r\nframes"));
    pieces.add(Buffer.from(" and more"));
    pieces.take();
    expect(String(pieces.takeAll())).toBe("frames and more");
    expect(pieces.isEmpty).toBe(true);
  });
});
