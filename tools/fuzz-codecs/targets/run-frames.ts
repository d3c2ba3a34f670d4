import {
  encodeRunCommand,
  encodeRunEvent,
  parseRunCommand,
  parseRunEvent,
  RunFrameError,
} from "@slipway/wire/services/run-frames";

import { expectSame, outcomeOf } from "../expectations.ts";
import { type FuzzTarget, utf8 } from "../target.ts";

/** The messages between agents and the callers of runs: what is accepted has one encoding. */
export const runFramesTarget: FuzzTarget = {
  name: "run-frames",
  maxBytes: 1024,
  maxMs: 20,
  words: ["\u0001{}", "\u0002\u0001", "\u0010", "\u0012", "\u0013SIGINT"],
  seeds: () => [
    encodeRunEvent({ type: "state", json: '{"status":"running"}' }),
    encodeRunEvent({ type: "output", stream: "stderr", position: 70_000, bytes: utf8("ls\n") }),
    encodeRunEvent({ type: "gap", position: 5 }),
    encodeRunCommand({ type: "input", position: 3, bytes: utf8("y\n") }),
    encodeRunCommand({ type: "resize", columns: 120, rows: 40 }),
    encodeRunCommand({ type: "signal", name: "SIGINT" }),
  ],
  check: (input) => {
    const event = outcomeOf(() => parseRunEvent(input), RunFrameError);
    if (event.kind === "value") expectSame("event", encodeRunEvent(event.value), input);
    const command = outcomeOf(() => parseRunCommand(input), RunFrameError);
    if (command.kind === "value") expectSame("command", encodeRunCommand(command.value), input);
  },
};
