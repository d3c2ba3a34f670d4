import { expect, test } from "vitest";

import { SharedLookups } from "./shared-lookups.ts";

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Starts lookups that end on demand, each with its number. */
function lookups() {
  const begun: string[] = [];
  const ends: ((fails: boolean) => void)[] = [];
  const shared = new SharedLookups((key) => {
    const number = begun.push(key);
    return new Promise<string>((resolve, reject) => {
      ends.push((fails) => (fails ? reject(new Error("broken")) : resolve(`${key} ${number}`)));
    });
  });
  return { begun, shared, endAll: (fails = false) => ends.splice(0).forEach((end) => end(fails)) };
}

test("gives nobody what was read before they asked, and reads once for all who waited", async () => {
  const { begun, shared, endAll } = lookups();
  const first = shared.find("a");
  const later = [shared.find("a"), shared.find("a"), shared.find("a")];
  const other = shared.find("b");
  expect(begun).toEqual(["a", "b"]);
  endAll();
  await settled();
  expect(begun).toEqual(["a", "b", "a"]);
  const latest = shared.find("a");
  endAll();
  await settled();
  endAll();
  expect(await Promise.all([first, other])).toEqual(["a 1", "b 2"]);
  expect(await Promise.all(later)).toEqual(["a 3", "a 3", "a 3"]);
  expect(await latest).toBe("a 4");
});

test("tells everybody who shares a lookup that it failed, and looks again for the next", async () => {
  const { shared, endAll } = lookups();
  const first = shared.find("a");
  const second = shared.find("a");
  endAll(true);
  await expect(first).rejects.toThrow("broken");
  await settled();
  endAll();
  expect(await second).toBe("a 2");
  const third = shared.find("a");
  endAll();
  expect(await third).toBe("a 3");
});
