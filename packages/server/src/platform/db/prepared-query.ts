import type { CompiledQuery } from "kysely";

import type { Queryable } from "./database.ts";
import { holdBack } from "./prepared-pool.ts";

/** The place of a value in a statement, by the index of the value. */
class Place {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** A statement of Kysely's builder or of `sql`. */
interface Statement<Row> {
  compile(db: Queryable): CompiledQuery<Row>;
}

interface PrepareOptions {
  /** True if a transaction sends it with its next statement, which fails with its error. It returns no rows then. */
  readonly sentWithNext?: boolean;
}

/**
 * Prepares a statement of a hot path: it is built and compiled at the first call; later calls only fill in their
 * values. Building a large statement takes longer than PostgreSQL takes to answer it. `build` must use each value as
 * a parameter of the statement, and not inspect it.
 */
export function prepareQuery<Values extends readonly unknown[], Row>(
  build: (db: Queryable, ...values: Values) => Statement<Row>,
  { sentWithNext = false }: PrepareOptions = {},
): (db: Queryable, ...values: Values) => Promise<readonly Row[]> {
  let compiled: CompiledQuery<Row> | undefined;
  return async (db, ...values) => {
    compiled ??= compile(values.length, (places) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- places only pass through to the parameters
      return build(db, ...(places as unknown as Values)).compile(db);
    });
    const parameters = compiled.parameters.map((parameter) =>
      parameter instanceof Place ? values[parameter.index] : parameter,
    );
    if (sentWithNext && db.isTransaction) holdBack(parameters);
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters });
    return rows;
  };
}

function compile<Row>(
  count: number,
  build: (places: readonly Place[]) => CompiledQuery<Row>,
): CompiledQuery<Row> {
  const places = Array.from({ length: count }, (_, index) => new Place(index));
  const compiled = build(places);
  const missing = places.find((place) => !compiled.parameters.includes(place));
  if (missing !== undefined) {
    throw new TypeError(
      `value ${missing.index} is not a parameter of the statement: ${compiled.sql}`,
    );
  }
  return compiled;
}
