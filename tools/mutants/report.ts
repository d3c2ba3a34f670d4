import type { Verdict } from "./judge.ts";
import { suiteKey } from "./mutant.ts";
import type { SuiteOutcome } from "./run-suite.ts";

/** The names of verdicts, for a suite without a mutant and for a mutant. */
const words = {
  suite: {
    passed: "suite holds",
    failed: "SUITE FAILS",
    "timed-out": "SUITE TOO SLOW",
    broken: "SUITE BROKEN",
  },
  mutant: {
    passed: "SURVIVED",
    failed: "found",
    "timed-out": "TOO SLOW",
    broken: "DOES NOT RUN",
  },
} as const satisfies Record<string, Record<SuiteOutcome["type"], string>>;

/** Formats a verdict for people, in one or more lines. */
export function textOf({ subject, outcome, seconds }: Verdict): string {
  const word = words["mutant" in subject ? "mutant" : "suite"][outcome.type];
  const name = "mutant" in subject ? subject.mutant.name : suiteKey(subject.suite);
  const headline = `${word.padEnd(14)} ${seconds.toFixed(1).padStart(5)} s  ${name}`;
  switch (outcome.type) {
    case "passed":
    case "timed-out":
      return "mutant" in subject ? `${headline}: ${subject.mutant.breaks}` : headline;
    case "failed":
      return `${headline}\n${" ".repeat(24)}by ${outcome.test}`;
    case "broken":
      return `${headline}\n${outcome.output.trimEnd()}`;
  }
}
