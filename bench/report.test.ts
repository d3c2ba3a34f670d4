import { describe, expect, it } from "vitest";

import { formatTable, repeat, summarize } from "./report.ts";

describe("summarize", () => {
  it("takes the middle run, or the mean of the two in the middle", () => {
    const [odd, even] = summarize([
      { name: "odd", unit: "ms", runs: [9, 1, 5] },
      { name: "even", unit: "ms", runs: [10, 2, 4, 8] },
    ]);
    expect(odd).toMatchObject({ min: 1, median: 5, max: 9 });
    expect(even).toMatchObject({ min: 2, median: 6, max: 10 });
  });

  it("compares each measurement with the first one of its unit", () => {
    const ratios = summarize([
      { name: "ours", unit: "MB/s", runs: [100] },
      { name: "theirs", unit: "MB/s", runs: [50] },
      { name: "start", unit: "ms", runs: [7] },
    ]).map(({ ratio }) => ratio);
    expect(ratios).toEqual([1, 0.5, 1]);
  });

  it("refuses a measurement without runs", () => {
    expect(() => summarize([{ name: "x", unit: "ms", runs: [] }])).toThrow('"x" has 0 runs');
  });
});

describe("formatTable", () => {
  it("aligns names to the left and numbers to the right", () => {
    const summaries = summarize([
      { name: "ours", unit: "MB/s", runs: [1234.5] },
      { name: "theirs, longer", unit: "MB/s", runs: [1.2345] },
    ]);
    expect(formatTable("yamux", summaries)).toBe(
      [
        "yamux",
        "                  min  median    max  unit  ratio",
        "ours            1,235   1,235  1,235  MB/s   1.00",
        "theirs, longer   1.23    1.23   1.23  MB/s   0.00",
      ].join("\n"),
    );
  });
});

describe("repeat", () => {
  it("drops the first run", async () => {
    let count = 0;
    expect(await repeat(3, () => (count += 1))).toEqual([2, 3, 4]);
  });
});
