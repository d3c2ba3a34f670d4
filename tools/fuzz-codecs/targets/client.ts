import {
  expandPath,
  LineSplitter,
  ManifestError,
  maxLineBytes,
  readManifest,
  splitShellWords,
} from "@slipway/agent/testing";
import {
  firstEvent,
  readAgentReference,
  readDuration,
  readEscapes,
  readForwards,
  readHost,
  readSshForward,
  readWorkspaceReference,
  UsageError,
} from "@slipway/cli/testing";
import { printableLine, printableText } from "@slipway/runtime";
import { parseHeaders, RequestHeaderError, splitHeaders } from "@slipway/sdk/node";
import { SseParser } from "@slipway/sdk/stream";
import { ProtobufError } from "@slipway/wire/protobuf/errors";
import type { Manifest } from "@slipway/wire/protobuf/gen/agent_pb";
import { ManifestSchema } from "@slipway/wire/protobuf/gen/agent_pb";
import { parseMessage } from "@slipway/wire/protobuf/message";

import { chunksOf, expectSame, expectThat, valueOf } from "../expectations.ts";
import { type FuzzTarget, textOf, utf8 } from "../target.ts";

/** The inputs of an agent and the command: manifests, script output, event streams, and texts for the terminal. */
export const clientTarget: FuzzTarget = {
  name: "client",
  maxBytes: 16 * 1024,
  maxMs: 100,
  words: [
    "event: data\n",
    "data: ",
    "\n\n",
    "\r\n",
    "event: error\n",
    "\u001b[2J",
    "\u009b",
    "'",
    '"',
    "\\",
    "$HOME",
    "~/",
  ],
  seeds: () =>
    [
      'event: data\ndata: {"a":1}\n\nevent: ping\n\n',
      "one\r\ntwo\nthree",
      'bash -c \'echo "$HOME" \\\' x"',
      "X-Token=abc",
      "owner/name",
      "coder.owner--name--agent",
      "127.0.0.1:5000-5005:6000-6005,[::1]:80",
      "1d12h30m",
      "\u001b]0;title\u0007 \u009b31m",
      "\n\u0010\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008",
    ].map(utf8),
  check: (input) => {
    checkLines(input);
    checkManifest(input);
    const text = textOf(input);
    checkPrintable(text);
    checkEvents(text);
    splitShellWords(text);
    valueOf(() => parseHeaders(splitHeaders(text), "the text"), RequestHeaderError);
    expandPath(text, { home: "/h", base: "/b", environment: { HOME: "/h" } });
    valueOf(() => readDuration("--ttl", text), UsageError);
    valueOf(() => readWorkspaceReference(text), UsageError);
    valueOf(() => readAgentReference(text), UsageError);
    valueOf(() => readHost(text, { prefix: "coder.", suffix: "coder" }), UsageError);
    valueOf(() => readForwards({ tcp: [text], udp: [] }), UsageError);
    valueOf(() => readSshForward("-L", text), UsageError);
    expectThat(readEscapes(() => undefined)(input).length <= input.length, "no keys are added");
  },
};

/** Checks that the output has no control characters except those of lines, columns and colors. */
function checkPrintable(text: string): void {
  expectThat(!/\p{Cc}/u.test(printableLine(text)), "a line is printable");
  const colored = printableText(text, { colors: true });
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const plain = colored.replaceAll(/\u001b\[[\d:;]*m|[\n\t]/g, "");
  expectThat(!/\p{Cc}/u.test(plain), "only colors pass");
  expectSame(
    "printable text made printable again",
    printableText(colored, { colors: true }),
    colored,
  );
}

function checkLines(input: Uint8Array): void {
  const lines = (chunks: readonly Uint8Array[]): readonly string[] => {
    const splitter = new LineSplitter();
    return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.close()];
  };
  const whole = lines([input]);
  expectSame("lines with other chunks", lines(chunksOf(input, input.length)), whole);
  for (const line of whole) {
    expectThat(
      line.length <= maxLineBytes && !line.includes("\0") && line.isWellFormed(),
      "a line can be stored",
    );
  }
}

function checkManifest(input: Uint8Array): void {
  const message = valueOf((): Manifest => parseMessage(ManifestSchema, input), ProtobufError);
  if (message === undefined) return;
  valueOf(() => readManifest(message, { home: "/h", environment: {} }), ManifestError);
}

/** Checks that the first event of a stream does not change when more of the stream arrives. */
function checkEvents(text: string): void {
  const whole = firstEvent(new SseParser().push(text));
  const half = firstEvent(new SseParser().push(text.slice(0, text.length / 2)));
  if (half !== undefined) expectSame("the first event", whole, half);
}
