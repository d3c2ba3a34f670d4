import {
  FieldReader,
  PacketReader,
  SftpError,
  TerminalError,
  TerminalMessages,
} from "@slipway/agent/testing";
import { encodeHex } from "@slipway/wire/bytes/hex";
import {
  LineCollector,
  parseSpeedtestRequest,
  SpeedtestError,
} from "@slipway/wire/services/speedtest";
import {
  encodeOutputHeader,
  encodeTerminalFrame,
  encodeTerminalGreeting,
  TerminalFrames,
  TerminalFrameError,
} from "@slipway/wire/services/terminal-frames";

import { chunksOf, expectSame, expectThat, outcomeOf } from "../expectations.ts";
import { type FuzzTarget, utf8 } from "../target.ts";

/** A reader of a stream: receives chunks one after another and returns its findings. */
type ReadAll = (chunks: readonly Uint8Array[]) => unknown;

function readTerminal(chunks: readonly Uint8Array[]): unknown {
  const messages = new TerminalMessages();
  const inputs = chunks.flatMap((chunk) => messages.receive(Buffer.from(chunk)));
  return { init: messages.init, inputs };
}

function readSftp(chunks: readonly Uint8Array[]): unknown {
  const reader = new PacketReader();
  const packets = chunks.flatMap((chunk) => reader.receive(Buffer.from(chunk)));
  return packets.map((packet) =>
    outcomeOf(() => {
      const fields = new FieldReader(packet, 1);
      return [fields.uint32(), fields.text(), fields.attributes(), fields.uint64()];
    }, SftpError),
  );
}

function readSpeedtest(chunks: readonly Uint8Array[]): unknown {
  const collector = new LineCollector();
  for (const chunk of chunks) {
    const found = collector.receive(chunk);
    if (found !== undefined) return parseSpeedtestRequest(found.line);
  }
  return undefined;
}

const viewerId = "0f8fad5b-d9cb-469f-a165-70867728950e";

/** Reads an agent's output to a viewer that can resume; it may be cut anywhere. */
function readFrames(chunks: readonly Uint8Array[]): unknown {
  const frames = new TerminalFrames(viewerId);
  const controls: unknown[] = [];
  let output = "";
  for (const event of chunks.flatMap((chunk) => frames.receive(chunk))) {
    if (event.type === "output") output += encodeHex(event.bytes);
    else controls.push([output.length, event]);
  }
  return { isPlain: frames.isPlain, controls, output };
}

const readers: readonly (readonly [ReadAll, abstract new (...args: never[]) => Error])[] = [
  [readTerminal, TerminalError],
  [readSftp, SftpError],
  [readSpeedtest, SpeedtestError],
  [readFrames, TerminalFrameError],
];

const init = '{"ID":"0f8fad5b-d9cb-469f-a165-70867728950e","Height":24,"Width":80,"Command":""}';

/**
 * The input of those who reach an agent over the network, to its terminals, files and speed test; and an agent's
 * output to viewers of its terminals.
 */
export const servicesTarget: FuzzTarget = {
  name: "services",
  maxBytes: 16 * 1024,
  maxMs: 100,
  words: ['{"data":"', '"}', '"height":', "\\", "\0\0\0\u0009\u0003", "\u0003", init],
  seeds: () => [
    Uint8Array.of(init.length, 0, ...utf8(`${init}{"data":"ls\\r"}{"height":40,"width":120}`)),
    Uint8Array.of(0, 0, 0, 5, 1, 0, 0, 0, 3, 0, 0, 0, 9, 7, 0, 0, 0, 1, 0, 0, 0, 0),
    utf8('{"version":2,"time":5000000000,"direction":1}\n'),
    Uint8Array.of(
      ...encodeTerminalGreeting(viewerId),
      ...encodeTerminalFrame({ type: "attached", position: 70_000, taken: 3 }),
      ...encodeOutputHeader(4),
      ...utf8("ls\r\n"),
      ...encodeTerminalFrame({ type: "taken", taken: 4 }),
      ...encodeTerminalFrame({ type: "ended" }),
    ),
  ],
  check: (input) => {
    for (const [readAll, errorClass] of readers) {
      const whole = outcomeOf(() => readAll([input]), errorClass);
      const cut = outcomeOf(() => readAll(chunksOf(input, input.length)), errorClass);
      expectThat(whole.kind === cut.kind, "chunks are refused like the whole");
      if (whole.kind === "value") expectSame("the result with other chunks", cut, whole);
    }
  },
};
