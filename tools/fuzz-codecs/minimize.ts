/**
 * Returns a shorter and plainer input that still fails: parts are removed, then bytes become zero, until nothing helps
 * or `maxTries` are used up.
 */
export async function minimize(
  input: Uint8Array,
  fails: (candidate: Uint8Array) => Promise<boolean>,
  maxTries = 2_000,
): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  const hasTries = (): boolean => tries < maxTries;
  const isBetter = async (candidate: Uint8Array): Promise<boolean> => {
    tries += 1;
    if (tries > maxTries || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && hasTries();) {
      if (!(await isBetter(without(best, at, size)))) at += size;
    }
  }
  for (let at = 0; at < best.length && hasTries(); at += 1) {
    if (best[at] === 0) continue;
    const zeroed = best.slice();
    zeroed[at] = 0;
    await isBetter(zeroed);
  }
  return best;
}

function without(bytes: Uint8Array, at: number, size: number): Uint8Array {
  const tail = bytes.subarray(at + size);
  const rest = new Uint8Array(at + tail.length);
  rest.set(bytes.subarray(0, at));
  rest.set(tail, at);
  return rest;
}
