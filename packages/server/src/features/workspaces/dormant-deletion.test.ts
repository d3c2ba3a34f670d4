import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { type DeletionColumns, deletionOf, lastDayMs } from "./dormant-deletion.ts";

const at = (day: number): number => Date.UTC(2026, 0, day);

/** Returns a workspace that has been dormant since the 10th, by a rule of 30 days that was set on the 1st. */
function dormant(more: Partial<DeletionColumns> = {}): DeletionColumns {
  return {
    dormant_at: timestampFromMs(at(10)),
    last_day_at: timestampFromMs(at(10)),
    template_time_til_dormant_autodelete_ms: 30 * lastDayMs,
    template_dormant_autodelete_set_at: timestampFromMs(at(1)),
    ...more,
  };
}

describe("the deletion of a dormant workspace", () => {
  it("comes after the template's time, and is announced by a message of its last day only", () => {
    expect(deletionOf(dormant())).toEqual({ at: at(40), isAnnounced: false });
    expect(deletionOf(dormant({ last_day_at: null }))).toEqual({ at: at(40), isAnnounced: false });
    const onTime = dormant({ last_day_at: timestampFromMs(at(39)) });
    expect(deletionOf(onTime)).toEqual({ at: at(40), isAnnounced: true });
  });

  it("comes a day after a message that came late", () => {
    const late = dormant({ last_day_at: timestampFromMs(at(46)) });
    expect(deletionOf(late)).toEqual({ at: at(47), isAnnounced: true });
  });

  it("comes no sooner than a day after its rule was set, whatever was announced before", () => {
    const template_dormant_autodelete_set_at = timestampFromMs(at(60));
    for (const last_day_at of [null, timestampFromMs(at(39)), timestampFromMs(at(59))]) {
      const again = dormant({ last_day_at, template_dormant_autodelete_set_at });
      expect(deletionOf(again)).toEqual({ at: at(61), isAnnounced: false });
    }
  });

  it("is announced by the message of the dormancy if it is a day away", () => {
    const soon = dormant({ template_time_til_dormant_autodelete_ms: lastDayMs });
    expect(deletionOf(soon)).toEqual({ at: at(11), isAnnounced: true });
  });

  it("does not come without a rule, or to a workspace that is not dormant", () => {
    expect(deletionOf(dormant({ template_time_til_dormant_autodelete_ms: 0 }))).toBeUndefined();
    expect(deletionOf(dormant({ dormant_at: null }))).toBeUndefined();
  });

  it("leaves a day after each of its causes", () => {
    const time = fc.integer({ min: at(1), max: at(100) }).map((ms) => timestampFromMs(ms));
    const columns = fc.record({
      dormant_at: time,
      last_day_at: fc.option(time),
      template_time_til_dormant_autodelete_ms: fc.integer({ min: lastDayMs, max: 90 * lastDayMs }),
      template_dormant_autodelete_set_at: time,
    });
    fc.assert(
      fc.property(columns, (row) => {
        const causes = [row.dormant_at, row.last_day_at, row.template_dormant_autodelete_set_at];
        const latest = Math.max(...causes.map((text) => Date.parse(text ?? "1970-01-01")));
        expect(deletionOf(row)?.at).toBeGreaterThanOrEqual(latest + lastDayMs);
      }),
    );
  });
});
