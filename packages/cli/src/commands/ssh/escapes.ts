const tilde = 0x7e;
const dot = 0x2e;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

type EscapeState = "line start" | "in line" | "after tilde";

/**
 * Returns a function that takes typed keys and returns those to pass on: all except the escapes of OpenSSH, `~.` at
 * the beginning of a line, which calls `disconnect`, and `~~` for a tilde. It is the way out of a session whose other
 * end does not answer.
 */
export function readEscapes(disconnect: () => void): (keys: Uint8Array) => Uint8Array {
  let state: EscapeState = "line start";
  return (keys) => {
    const passed: number[] = [];
    for (const key of keys) {
      const wasTilde = state === "after tilde";
      if (wasTilde && key === dot) {
        disconnect();
        state = "in line";
        break;
      }
      if (state === "line start" && key === tilde) {
        state = "after tilde";
        continue;
      }
      // The tilde was held back; a second one stands for it.
      if (wasTilde && key !== tilde) passed.push(tilde);
      passed.push(key);
      state = key === lineFeed || key === carriageReturn ? "line start" : "in line";
    }
    return Uint8Array.from(passed);
  };
}
